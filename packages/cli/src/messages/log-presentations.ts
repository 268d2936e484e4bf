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
import { answered, ask, askAll } from "../remote/ask.ts";
import { messageNamed, NAMES_MESSAGE } from "../remote/named-message.ts";
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
    texts: {
      from: "the entry to begin with (default: the next one that there is)",
      message: "only of this message, like action.perform",
      principal: "only of this principal",
      verdict: "only with this verdict",
      limit: "end after so many",
    },
    examples: [
      "capstan log tail",
      "capstan log tail --from 1 --no-follow --json",
      "capstan log tail --message alert.raised",
    ],
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
  "log.explain": {
    subject: "id",
    texts: { id: NAMES_MESSAGE },
    examples: ["capstan log explain m-01J8…", "capstan log explain 12"],
    run: explain,
  },
};

async function show(cli: Cli, { name, data }: PresentedCall): Promise<void> {
  const answer = await ask(await cli.target(), name, entryNamed(data));
  cli.printer.data(answer, () => shownText(answer as Shown));
}

async function explain(cli: Cli, { name, data }: PresentedCall): Promise<void> {
  const { id, ...rest } = data;
  const [answer] = await askAll(await cli.target(), (send) => [
    send(name, typeof id === "string" ? { ...rest, ...messageNamed(send, id) } : data),
  ]);
  const explained = answered(answer) as Explained;
  cli.printer.data(explained, () => explanation(explained));
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
  // Where the log ends anyway a signal is a signal.
  const stopped = follow ? cli.io.stopped().then(() => undefined) : new Promise<never>(() => {});
  for (let seen = 0; left === undefined || seen < left; ) {
    const more = left === undefined ? {} : { limit: left - seen };
    const asked = { ...data, ...more, ...(from === undefined ? {} : { from }), wait: follow ? 20_000 : 0 };
    let answer: { readonly items: readonly Listed[]; readonly next: number } | undefined;
    try {
      answer = (await Promise.race([ask(target, name, asked), stopped])) as typeof answer;
    } catch (thrown) {
      // A server that restarts comes back with the same log.
      if (from === undefined || !(thrown instanceof FaultError) || thrown.code !== "UNREACHABLE") throw thrown;
      if ((await Promise.race([sleep(RETRY_MS, "again"), stopped])) === "again") continue;
    }
    if (answer === undefined) break;
    if (!Array.isArray((answer as Partial<typeof answer> | null)?.items))
      throw answerFault(name, "is no page of entries");
    for (const item of answer.items) cli.printer.data(item, () => lines([item]));
    seen += answer.items.length;
    if (!follow && (from === undefined || from === answer.next)) return;
    from = answer.next;
  }
  if (follow && from !== undefined) {
    const only = ["message", "principal", "verdict"].flatMap((field) =>
      data[field] === undefined ? [] : [`--${field}`, String(data[field])],
    );
    cli.printer.note(
      `  to go on from here: ${["capstan log tail", ...only, "--from", String(from)].map(shown).join(" ")}`,
    );
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
