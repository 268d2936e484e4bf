// Logs that this node witnesses: how it is with each, what was found, and what is held of one, for whoever verifies it.

import { resolve } from "node:path";
import type { Cli } from "../cli.ts";
import { answerFault } from "../fault/thrown.ts";
import { columns, instant } from "../output/columns.ts";
import { writeNewFile } from "../output/new-file.ts";
import { shown } from "../output/shown.ts";
import { ask } from "../remote/ask.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";

interface Witnessed {
  readonly name: string;
  readonly node?: string;
  readonly state: string;
  readonly log?: string;
  readonly size?: number;
  readonly at?: number;
  readonly entry?: number;
  readonly foundAt?: number;
  readonly message?: string;
  readonly why?: string;
  /** The last restore that it declares. */
  readonly restored?: { readonly epoch: number; readonly size: number };
  readonly ours?: { readonly size: number; readonly at: number };
}

export const witnessPresentations: Readonly<Record<string, Presentation>> = {
  ...Object.fromEntries(["prove", "leaves", "held", "fetch"].map((verb) => [`witness.${verb}`, { unlisted: true }])),
  "witness.list": {
    text: (answer) => columns((answer as { items: readonly Witnessed[] }).items.map(line)),
  },
  "witness.show": {
    texts: { name: "the peer" },
    examples: ["capstan witness show osaka", "capstan witness show osaka --out osaka.checkpoint"],
    configure(command) {
      command.option(
        "--out <file>",
        "write what is held of its log to new files: the checkpoint, and the leaves beside it",
      );
    },
    run: show,
  },
  "witness.accept": {
    texts: { name: "the peer" },
    text: (answer) => `begun anew with ${shown((answer as Witnessed).name)}\n`,
  },
};

function line({ name, node = "", state, size, at, entry, ours }: Witnessed): string[] {
  const what = entry === undefined ? state : `${state} at entry ${entry}`;
  const held = size === undefined || at === undefined ? "" : `${size} cosigned ${instant(at)}`;
  return [shown(name), shown(node), what, held, ours === undefined ? "" : `ours: ${ours.size}`];
}

async function show(cli: Cli, { name, data, flags }: PresentedCall): Promise<void> {
  const answer = (await ask(await cli.target(), name, data)) as Witnessed;
  const { out } = flags;
  if (typeof out !== "string") return cli.printer.data(answer, () => text(answer));
  if (typeof answer.log !== "string") throw answerFault(name, "names no log: nothing is held of it yet");
  const { fetchHeld, leavesBeside } = await import("../remote/witnessed-log.ts");
  const { checkpoint, file } = await fetchHeld(cli, "witness.held", { name: answer.name, log: answer.log });
  const path = resolve(cli.io.cwd, out);
  await writeNewFile(cli.io, out, checkpoint);
  if (file !== undefined) await writeNewFile(cli.io, leavesBeside(path), file);
  cli.printer.data({ name: answer.name, log: answer.log, file: out }, () => `${shown(answer.name)} → ${shown(out)}\n`);
  cli.printer.note(`  on its node: capstan log verify --witness ${shown(out)}`);
}

function text(answer: Witnessed): string {
  const { name, node, state, log, size, at, entry, foundAt, message, why, restored, ours } = answer;
  return columns([
    ["peer", node === undefined ? shown(name) : `${shown(name)}  ${shown(node)}`],
    ["state", state],
    ...(log === undefined ? [] : [["log", shown(log)]]),
    ...(entry === undefined ? [] : [["entry", `${entry}: the first that is another than it was, or is gone`]]),
    ...(why === undefined ? [] : [["why", shown(why)]]),
    ...(foundAt === undefined ? [] : [["found", `${instant(foundAt)}  ${shown(message ?? "")}`]]),
    ...(size === undefined || at === undefined ? [] : [["cosigned", `${size} entries, ${instant(at)}`]]),
    ...(restored === undefined
      ? []
      : [["restored", `in epoch ${restored.epoch}: of what was before, ${restored.size} entries are said to be left`]]),
    ...(ours === undefined
      ? []
      : [["ours", `it cosigned ${ours.size} entries of this node's log, ${instant(ours.at)}`]]),
  ]);
}
