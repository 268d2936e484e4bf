// What a run comes to: an output, or the fault that says why it is none.

import { FaultError, fault, printable } from "@capstan/orchestrator";
import { quote } from "../../registry/quote.ts";
import { redactionOf } from "../template/redaction-of.ts";
import type { ProcessCall } from "./process-schema.ts";
import type { Ran } from "./run.ts";

const STDERR_CHARACTERS = 4096;
/** More than is shown, so that a secret is whole when it is looked for. */
export const STDERR_READ_BYTES = STDERR_CHARACTERS + 64 * 1024;
const LONGEST_REASON = 200;

export function outcomeOf(ran: Ran, call: ProcessCall): unknown {
  const { expect, answer } = call.configuration;
  const { code } = ran;
  if (code === null || !expect.includes(code)) throw failed(ran, call);
  const stdout = read(ran.stdout, call);
  return answer === "stdout" ? stdout : { code, stdout, stderr: endOf(ran.stderr, call) };
}

function failed({ code, signal, stderr }: Ran, call: ProcessCall): FaultError {
  const said = endOf(stderr, call);
  const last = said.trimEnd().split("\n").at(-1) ?? "";
  const how = code === null ? `was ended by ${signal ?? "a signal"}` : `exited with ${code}`;
  const reason = last === "" ? "" : `: ${printable(last, LONGEST_REASON)}`;
  const details = { code, ...(signal === null ? {} : { signal }), ...(said === "" ? {} : { stderr: said }) };
  return new FaultError(fault("PROCESS_FAILED", `${programOf(call)} ${how}${reason}`, details));
}

function read(bytes: Uint8Array, call: ProcessCall): unknown {
  const { stdout } = call.configuration;
  switch (stdout) {
    case "text":
      return textOf(bytes);
    case "lines":
      return linesOf(textOf(bytes));
    case "json":
      try {
        return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
      } catch {
        throw new FaultError(fault("PROCESS_OUTPUT_INVALID", `${programOf(call)}: its output is no JSON`));
      }
    default:
      return stdout satisfies never;
  }
}

/** What is no UTF-8 becomes U+FFFD. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** A line end ends a line, and begins none. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** Without secrets, and printable but for its line ends. */
function endOf(stderr: Uint8Array, { configuration, task }: ProcessCall): string {
  const end = redactionOf(configuration, task.configuration)(textOf(stderr)).slice(-STDERR_CHARACTERS);
  return end
    .split(/\r?\n/)
    .map((line) => printable(line))
    .join("\n");
}

function programOf({ configuration }: ProcessCall): string {
  return quote(configuration.argv[0] as string);
}
