// `capstan batch`: messages in one HTTP batch, later ones with answers of earlier ones in them; one round trip. A line of
// output a line of input, in order; what failed does not stop the others.

import { FaultError } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { exitCodeOf, exitCodes } from "../fault/exit-codes.ts";
import { faultText } from "../fault/fault-text.ts";
import { inputText } from "../input/json-input.ts";
import { milliseconds } from "../output/columns.ts";
import { askAll } from "../remote/ask.ts";
import { withPromises } from "../remote/reference.ts";
import { batchLines } from "./batch-lines.ts";

export function batchCommand(program: Command, cli: Cli): void {
  program
    .command("batch")
    .description("Send many messages in one round trip.")
    .argument("<file>", "NDJSON, or - for standard input")
    .action((file: string) => batch(cli, file))
    .addHelpText(
      "after",
      `
A line is {"resource", "action", "data", "as"?, "options"?}. Where an earlier line is called "a", {"$from":"a.output.text"}
anywhere in "data" stands for that field of its answer. Each line of output is {"line", "as"?, "result"} or {"line", "error"}.
`,
    )
    .examples(
      "capstan batch messages.ndjson",
      `capstan batch - <<'E'
  {"as":"a","resource":"action","action":"perform","data":{"name":"greet","input":{"name":"Ada"}}}
  {"resource":"action","action":"perform","data":{"name":"shout","input":{"text":{"$from":"a.output.text"}}}}
  E`,
    );
}

async function batch(cli: Cli, file: string): Promise<void> {
  const { text } = await inputText(cli.io, file === "-" ? file : `@${file}`, "the batch");
  const lines = batchLines(text);
  const target = await cli.target();
  const start = performance.now();
  const answers = await askAll(target, (send) => {
    const promises = new Map<string, unknown>();
    return lines.map(({ as, name, data, options }) => {
      const promise = send(name, withPromises(data, promises), options);
      if (as !== undefined) promises.set(as, promise);
      return promise;
    });
  });
  const took = performance.now() - start;
  const failed = answers.flatMap((answer) => ("fault" in answer ? [answer.fault] : []));
  const [first] = failed;
  // The whole round trip failed, and no line by itself.
  if (first !== undefined && failed.length === answers.length && isOfTheWhole(first.code)) throw new FaultError(first);
  answers.forEach((answer, at) => {
    const { line, as } = lines[at] as (typeof lines)[number];
    const named = as === undefined ? { line } : { line, as };
    if ("fault" in answer) {
      cli.printer.line({ ...named, error: answer.fault });
      cli.printer.note(`line ${line}  ${faultText(answer.fault).trimEnd()}`);
    } else {
      cli.printer.line({ ...named, result: answer.value });
    }
  });
  const counts = [
    `${answers.length - failed.length} done`,
    ...(failed.length === 0 ? [] : [`${failed.length} failed`]),
  ];
  cli.printer.note(`${counts.join(", ")}, 1 round trip, ${milliseconds(took)}`);
  if (first !== undefined) cli.exitCode = exitCodeOf(first.code);
}

function isOfTheWhole(code: string): boolean {
  return (
    exitCodeOf(code) === exitCodes.unavailable ||
    ["CREDENTIAL_INVALID", "SESSION_BUDGET", "TOO_LARGE", "STOPPING", "ORIGIN_REFUSED", "FRAME_INVALID"].includes(code)
  );
}
