// `capstan perform`: an action's output on stdout; what it was, where it is in the log and how long it took on stderr.

import { printable } from "@capstan/orchestrator";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { jsonInput } from "../input/json-input.ts";
import { addCallOptions, callOptions } from "../messages/call-options.ts";
import { milliseconds } from "../output/columns.ts";
import { jsonText, shown } from "../output/shown.ts";
import { answered, converse } from "../remote/ask.ts";

interface Performed {
  readonly execution: string;
  readonly output?: unknown;
  readonly pending?: boolean;
}

export function performCommand(program: Command, cli: Cli): void {
  const command = program
    .command("perform")
    .description("Perform an action and print its output.")
    .argument("<name>", "the action")
    .argument("[input]", "JSON, @file, or - for standard input")
    .action(async (name: string, input: string | undefined, flags: Parameters<typeof callOptions>[0]) => {
      const data =
        input === undefined
          ? { name }
          : { name, input: await jsonInput(cli.io, input, `the input of ${printable(name)}`) };
      await perform(cli, "action.perform", data, callOptions(flags));
    });
  addCallOptions(command);
  command.addHelpText(
    "after",
    `
examples:
  $ capstan perform greet '{"name":"Ada"}'
  $ capstan perform import @rows.json --key import-2026-11-21
  $ capstan perform report --wait 0          accepts only; see capstan execution show
`,
  );
}

/** Sends what leads to an execution, and tells of it. */
export async function perform(cli: Cli, message: string, data: object, options: object | undefined): Promise<void> {
  const target = await cli.target();
  const start = performance.now();
  const [answer, details] = await converse(target, (send) => {
    const performed = send(message, data, options);
    // In the same round trip. A grant that may not look at executions would leave a refusal in the log each time.
    return target.administrator ? [performed, send("execution.show", { id: performed.execution })] : [performed];
  });
  const took = performance.now() - start;
  const performed = answered(answer as NonNullable<typeof answer>) as Performed;
  const entries =
    details !== undefined && "value" in details ? (details.value as { entries: readonly number[] }).entries : [];
  const { execution, output, pending } = performed;
  cli.printer.data(entries.length === 0 ? performed : { ...performed, entries }, () =>
    pending ? `${jsonText(performed)}\n` : `${jsonText(output ?? null)}\n`,
  );
  const parts = [
    `  execution ${shown(execution)}`,
    ...(pending ? ["pending"] : []),
    ...entriesText(entries),
    milliseconds(took),
  ];
  cli.printer.note(parts.join("   "));
}

function entriesText(entries: readonly number[]): string[] {
  if (entries.length === 0) return [];
  return entries.length === 1 ? [`entry ${entries[0]}`] : [`entries ${entries[0]}–${entries.at(-1)}`];
}
