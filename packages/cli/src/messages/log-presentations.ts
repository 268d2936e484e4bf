// The log: entries a line each, the newest as they come, why something was decided, and what proves it.

import { setTimeout as sleep } from "node:timers/promises";
import type { Receipt } from "@capstan/orchestrator";
import { FaultError } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import { answerFault } from "../fault/thrown.ts";
import { columns, instant } from "../output/columns.ts";
import { type Explained, explanation } from "../output/explanation.ts";
import { writeNewFile } from "../output/new-file.ts";
import { jsonText, shown } from "../output/shown.ts";
import { ask } from "../remote/ask.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";

interface Listed {
  readonly entry: number;
  readonly id: string;
  readonly message: string;
  readonly principal: string;
  readonly grant: string;
  readonly at: number;
  readonly verdict: string;
}

interface Shown extends Listed {
  readonly node: string;
  readonly cause?: string;
  readonly body?: unknown;
  readonly facts?: unknown;
  readonly trace?: unknown;
  /** The entry that erased each part that is gone. */
  readonly erased?: unknown;
  readonly rows?: readonly (readonly [table: string, key: string, row: unknown])[];
}

interface Head {
  readonly entries: number;
  readonly node: string;
  readonly name: string;
  readonly first: number;
  readonly state: string;
}

const NAMED: Presentation = {
  subject: "id",
  saidBy: { entry: ["id"] },
  texts: { id: "the entry's number, or its message's id" },
};

export const logPresentations: Readonly<Record<string, Presentation>> = {
  "log.list": {
    texts: {
      before: "entries before this one",
      message: "only of this message, like action.perform",
      principal: "only of this principal",
      limit: "how many at most (default: 50)",
    },
    examples: ["capstan log list", "capstan log list --message action.perform --verdict refused"],
    text: (answer) => lines((answer as { items: readonly Listed[] }).items),
  },
  "log.tail": {
    hidden: ["wait"],
    examples: ["capstan log tail", "capstan log tail --from 1 --no-follow --json"],
    configure(command) {
      command.option("--no-follow", "end where the log ends");
    },
    run: tail,
  },
  "log.show": {
    ...NAMED,
    examples: ["capstan log show 12", "capstan log show 12 --json"],
    run: show,
  },
  "log.receipt": {
    ...NAMED,
    examples: [
      "capstan log receipt 12 --out receipt.json",
      "capstan receipt verify receipt.json --key .capstan/node.pub",
      "capstan log receipt 12 --witnesses 1 --out receipt.json",
    ],
    configure(command) {
      command.option("--out <file>", "write it to a new file (default: standard output)");
    },
    run: receipt,
  },
  "log.checkpoint": {
    examples: ["capstan log checkpoint > witnessed.checkpoint", "capstan log verify --checkpoint witnessed.checkpoint"],
    text: ({ checkpoint }: { readonly checkpoint: string }) => checkpoint.split("\n").map(shown).join("\n"),
  } as Presentation,
  "log.head": {
    text(answer) {
      const { entries, node, name, first, state } = answer as Head;
      const count = `${entries} ${entries === 1 ? "entry" : "entries"}`;
      const kept = first > 1 ? `, kept from ${first} on` : "";
      return `${count}${kept}  ${shown(node)}  ${shown(name)}${state === "damaged" ? "  damaged, read-only" : ""}\n`;
    },
  },
  "log.explain": { subject: "id", text: (answer) => explanation(answer as Explained) },
};

async function show(cli: Cli, { name, data }: PresentedCall): Promise<void> {
  const answer = await ask(await cli.target(), name, entryNamed(data));
  cli.printer.data(answer, () => shownText(answer as Shown));
}

/** Its parts, each whole; of the header what people ask for. */
function shownText(shownEntry: Shown): string {
  const { entry, id, message, node, principal, grant, at, verdict, cause, rows = [], ...parts } = shownEntry;
  return columns([
    ["entry", `${entry}  ${instant(at)}  ${id}`],
    ["message", `${message}  ${verdict}`],
    ["by", `${principal} under ${grant}, to ${node}`],
    ...(cause === undefined ? [] : [["because of", cause]]),
    ...PARTS.flatMap((part) => (parts[part] === undefined ? [] : [[part, jsonText(parts[part])]])),
    ...rows.map(([table, key, row]) => ["row", `${table}  ${key}  ${jsonText(row)}`]),
  ]);
}

const PARTS = ["body", "facts", "trace", "erased"] as const;

/** An entry is named by its number as well as by its message. */
function entryNamed(data: PresentedCall["data"]): object {
  const { id, ...rest } = data;
  return typeof id === "string" && /^\d+$/.test(id) ? { ...rest, entry: Number(id) } : data;
}

async function receipt(cli: Cli, { name, data, flags }: PresentedCall): Promise<void> {
  const answer = (await ask(await cli.target(), name, entryNamed(data))) as Receipt;
  const { out } = flags;
  if (typeof out !== "string") return cli.printer.data(answer);
  await writeNewFile(cli.io, out, `${JSON.stringify(answer)}\n`);
  cli.printer.data({ entry: answer.entry, file: out }, () => `entry ${answer.entry} → ${shown(out)}\n`);
  cli.printer.note(`  verify it anywhere: capstan receipt verify ${shown(out)} --key KEY`);
}

const RETRY_MS = 500;

async function tail(cli: Cli, { name, data, flags }: PresentedCall): Promise<void> {
  const target = await cli.target();
  const follow = flags.follow !== false;
  let from = data.from as number | undefined;
  const left = data.limit as number | undefined;
  for (let seen = 0; left === undefined || seen < left; ) {
    const more = left === undefined ? {} : { limit: left - seen };
    const asked = { ...data, ...more, ...(from === undefined ? {} : { from }), wait: follow ? 20_000 : 0 };
    let answer: { readonly items: readonly Listed[]; readonly next: number };
    try {
      answer = (await ask(target, name, asked)) as typeof answer;
    } catch (thrown) {
      // A server that restarts comes back with the same log.
      if (from === undefined || !(thrown instanceof FaultError) || thrown.code !== "UNREACHABLE") throw thrown;
      await sleep(RETRY_MS);
      continue;
    }
    if (!Array.isArray((answer as Partial<typeof answer> | null)?.items))
      throw answerFault(name, "is no page of entries");
    for (const item of answer.items) cli.printer.data(item, () => lines([item]));
    seen += answer.items.length;
    if (!follow && from === answer.next) return;
    if (!follow && from === undefined) return;
    from = answer.next;
  }
}

function lines(items: readonly Listed[]): string {
  return columns(
    items.map(({ entry, at, id, message, principal, verdict }) => [
      entry,
      instant(at),
      id,
      message,
      principal,
      verdict,
    ]),
  );
}
