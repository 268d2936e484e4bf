// The command of one call: its configuration's templates filled in. Each element stays one argument, and what the input begins is
// no option.

import { FaultError, fault } from "@capstan/orchestrator";
import { ownOf, Rendering, refusedValue } from "../template/rendering.ts";
import { parseTemplate } from "../template/template.ts";
import { PROGRAM_PATH } from "./find-program.ts";
import type { ProcessCall } from "./process-schema.ts";

export interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
}

/** One argument's; Linux refuses longer ones. */
const LONGEST_ARGUMENT_BYTES = 128 * 1024 - 1;

export function commandOf(call: ProcessCall): Command {
  const { configuration, task, traceparent } = call;
  const rendering = new Rendering(call);
  const references = ownOf(task.configuration, "env");
  const env: Record<string, string> = { PATH: PROGRAM_PATH.join(":") };
  if (traceparent !== undefined) env.TRACEPARENT = traceparent;
  for (const [name, template] of Object.entries(configuration.env)) {
    const value = rendering.text(template, ownOf(references, name), whole);
    if (value === undefined) continue;
    // A secret is no template; the file that it is of may hold anything.
    if (value.includes("\0")) throw refused(`"env.${name}" holds a NUL`);
    env[name] = value;
  }
  return {
    argv: argumentsOf(configuration.argv, rendering),
    cwd: configuration.cwd,
    env,
    stdin: stdinOf(call, rendering),
  };
}

function argumentsOf(templates: readonly string[], rendering: Rendering): string[] {
  const argv: string[] = [];
  let optionsEnded = false;
  for (const [i, template] of templates.entries()) {
    const value = rendering.text(template, undefined, whole);
    if (value === undefined) continue;
    if (!optionsEnded && value.startsWith("-") && isBegunByInput(template)) {
      const hint = 'a literal "--" before it, or text such as --name= at its beginning, says what it is';
      throw refusedValue(
        template.replace(/^\{\{\s*|\s*\}\}.*$/gs, ""),
        `begins with "-", and would be an option; ${hint}`,
      );
    }
    optionsEnded ||= template === "--";
    if (Buffer.byteLength(value) > LONGEST_ARGUMENT_BYTES) {
      throw refused(`"argv[${i}]" comes to more than 128 KiB, which no program can be given; use stdin`);
    }
    argv.push(value);
  }
  return argv;
}

function refused(problem: string): FaultError {
  return new FaultError(fault("TEMPLATE_VALUE_REFUSED", problem));
}

function isBegunByInput(template: string): boolean {
  const parts = parseTemplate(template);
  return !("problem" in parts) && typeof parts[0] === "object";
}

function whole(value: string, name: string): string {
  if (value.includes("\0")) throw refusedValue(name, "holds a NUL, which ends an argument");
  if (!value.isWellFormed()) throw refusedValue(name, "is no well-formed text");
  return value;
}

function stdinOf({ configuration, task, input }: ProcessCall, rendering: Rendering): string | undefined {
  const { stdin } = configuration;
  if (stdin === "none") return undefined;
  if (stdin === "json") return input === undefined ? "" : JSON.stringify(input);
  const reference = ownOf(ownOf(task.configuration, "stdin"), "text");
  return rendering.text(stdin.text, reference) ?? "";
}
