// `capstan perform`: an action's output on stdout; what it was, where it is in the log and how long it took on stderr.

import { printable, siblingId } from "@capstan/orchestrator/remote";
import { Option } from "commander";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { jsonInput } from "../input/json-input.ts";
import { addCallOptions, callOptions } from "../messages/call-options.ts";
import { milliseconds } from "../output/columns.ts";
import { jsonText, shown } from "../output/shown.ts";
import { type Awaited, type Waiting, waitingAt } from "../output/waiting.ts";
import { answered, converse } from "../remote/ask.ts";

type Flags = Parameters<typeof callOptions>[0] & { readonly publication?: string; readonly at?: string };

interface Performed {
  /** Not of a repeat that joined the first before that was over: it is told the message. */
  readonly execution?: string;
  readonly message?: string;
  readonly output?: unknown;
  readonly pending?: boolean;
  /** The peer that carried it out, or handed it on. */
  readonly via?: string;
}

export function performCommand(program: Command, cli: Cli): void {
  const command = program
    .command("perform")
    .description("Perform an action and print its output.")
    .argument("<name>", "the action")
    .argument("[input]", "JSON, @file, or - for standard input")
    .action(async (name: string, input: string | undefined, flags: Flags) => {
      const data = {
        name,
        ...(input === undefined ? {} : { input: await jsonInput(cli.io, input, `the input of ${printable(name)}`) }),
        ...(flags.publication === undefined ? {} : { publication: flags.publication }),
        ...(flags.at === undefined ? {} : { at: flags.at }),
      };
      await perform(cli, "action.perform", data, callOptions(flags));
    });
  addCallOptions(command);
  command.addOption(
    new Option(
      "--publication <which>",
      "who gets the output: the caller and subscribers, only subscribers, or no subscriber",
    )
      .choices(["with", "only", "none"])
      .default(undefined, "with"),
  );
  command.option(
    "--at <peer>",
    "where it is to be done: a peer, peers on the way as a/b, or an origin's node or domain",
  );
  command.examples(
    `capstan perform greet '{"name":"Ada"}'`,
    "capstan perform import @rows.json --key import-2026-11-21",
    "capstan perform report --wait 0            accepts only; see capstan execution show",
    "capstan perform report --publication only  its subscribers get the output",
    "capstan perform greet --at berlin          at that peer, whatever is here",
  );
}

/** Sends what leads to an execution, and tells of it. */
export async function perform(cli: Cli, message: string, data: object, options: object | undefined): Promise<void> {
  const target = await cli.target();
  const start = performance.now();
  // A repeat joins the first: by it one learns what it is called while it is waited for, under the same grant.
  const patient = isWaitedFor(cli, options) ? { key: `cli-${crypto.randomUUID()}`, ...options } : options;
  let waiting: Waiting | undefined;
  const [answer, details] = await converse(target, (send) => {
    const performed = send(message, data, patient);
    if (patient !== options) {
      waiting = waitingAt(cli, async () => awaited(await send(message, data, { ...patient, wait: 0 })));
    }
    const first = waiting?.of(performed) ?? performed;
    // In the same round trip. A grant that may not look at executions would leave a refusal in the log each time.
    if (!target.administrator) return [first];
    const shown = send("execution.show", { id: performed.execution });
    return [first, waiting?.of(shown) ?? shown];
  }).finally(() => waiting?.end());
  const took = performance.now() - start;
  const performed = (answered(answer as NonNullable<typeof answer>) ?? {}) as Performed;
  const told = details !== undefined && "value" in details ? (details.value as { entries?: unknown } | null) : null;
  const entries = (Array.isArray(told?.entries) ? told.entries : []) as readonly number[];
  const { output, pending, via } = performed;
  const execution = executionOf(performed);
  cli.printer.data(entries.length === 0 ? performed : { ...performed, entries }, () =>
    pending || (data as Flags).publication === "only" ? `${jsonText(performed)}\n` : `${jsonText(output ?? null)}\n`,
  );
  const parts = [
    ...(execution === undefined ? [] : [`execution ${shown(execution)}`]),
    ...(pending ? ["pending"] : []),
    ...(typeof via === "string" ? [`via ${shown(via)}`] : []),
    ...entriesText(entries),
    milliseconds(took),
  ];
  cli.printer.note(`  ${parts.join("   ")}`);
  const attach = pending ? awaited(performed)?.attach : undefined;
  if (attach !== undefined) cli.printer.note(`  to wait for it: ${shown(attach)}`);
}

/** Whether somebody sits there, and wants to know. */
function isWaitedFor({ io, printer }: Cli, options: { readonly wait?: number } | undefined): boolean {
  return io.terminal.stderr && !printer.json && options?.wait !== 0;
}

function awaited(accepted: unknown): Awaited | undefined {
  const execution = executionOf((accepted ?? {}) as Performed);
  if (execution === undefined) return undefined;
  return { what: execution, attach: `capstan message attach ${siblingId(execution, "m")}` };
}

function executionOf({ execution, message }: Performed): string | undefined {
  if (typeof execution === "string") return execution;
  return typeof message === "string" && message.startsWith("m-") ? siblingId(message, "x") : undefined;
}

function entriesText(entries: readonly number[]): string[] {
  if (entries.length === 0) return [];
  return entries.length === 1 ? [`entry ${entries[0]}`] : [`entries ${entries[0]}–${entries.at(-1)}`];
}
