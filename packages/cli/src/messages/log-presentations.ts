// The log: entries a line each, the newest as they come, and why something was decided.

import { setTimeout as sleep } from "node:timers/promises";
import { FaultError } from "@capstan/orchestrator";
import type { Cli } from "../cli.ts";
import { columns, instant } from "../output/columns.ts";
import { type Explained, explanation } from "../output/explanation.ts";
import { shown } from "../output/shown.ts";
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

export const logPresentations: Readonly<Record<string, Presentation>> = {
  "log.list": { text: (answer) => lines((answer as { items: readonly Listed[] }).items) },
  "log.tail": {
    hidden: ["wait"],
    examples: ["capstan log tail", "capstan log tail --from 1 --no-follow --json"],
    configure(command) {
      command.option("--no-follow", "end where the log ends");
    },
    run: tail,
  },
  "log.show": { subject: "id", run: show },
  "log.head": {
    text(answer) {
      const { entries, node, name } = answer as { entries: number; node: string; name: string };
      return `${entries} ${entries === 1 ? "entry" : "entries"}  ${shown(node)}  ${shown(name)}\n`;
    },
  },
  "log.explain": { subject: "id", text: (answer) => explanation(answer as Explained) },
};

/** An entry is named by its number as well as by its message. */
async function show(cli: Cli, { name, data }: PresentedCall): Promise<void> {
  const { id } = data;
  const asked = typeof id === "string" && /^\d+$/.test(id) ? { entry: Number(id) } : data;
  const answer = await ask(await cli.target(), name, asked);
  cli.printer.data(answer);
}

const RETRY_MS = 500;

async function tail(cli: Cli, { name, data, flags }: PresentedCall): Promise<void> {
  const target = await cli.target();
  const follow = flags.follow !== false;
  let from = data.from as number | undefined;
  const left = data.limit as number | undefined;
  for (let seen = 0; left === undefined || seen < left; ) {
    const asked = { ...data, ...(from === undefined ? {} : { from }), wait: follow ? 20_000 : 0 };
    let answer: { readonly items: readonly Listed[]; readonly next: number };
    try {
      answer = (await ask(target, name, asked)) as typeof answer;
    } catch (thrown) {
      // A server that restarts comes back with the same log.
      if (from === undefined || !(thrown instanceof FaultError) || thrown.code !== "UNREACHABLE") throw thrown;
      await sleep(RETRY_MS);
      continue;
    }
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
