// `capstan top`: what a node is busy with, on one screen that is drawn anew; once where nobody watches, and as samples for
// programs.

import { printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { usageFault } from "../fault/thrown.ts";
import { duration } from "../input/duration.ts";
import { shownLines } from "../output/shown.ts";
import { type Lagging, type Sample, topText } from "../output/top-text.ts";
import { answered, askAll } from "../remote/ask.ts";
import type { Target } from "../settings/target.ts";

interface Flags {
  readonly once?: boolean;
  readonly interval: string;
  readonly count?: string;
}

export function topCommand(program: Command, cli: Cli): void {
  program
    .command("top")
    .description("Watch what a node is busy with.")
    .option("--once", "show it once (also where the output is no terminal)")
    .option("--interval <duration>", "how long between two looks", "2s")
    .option("--count <n>", "end after so many looks")
    .action((flags: Flags) => top(cli, flags))
    .addHelpText(
      "after",
      `
It asks node.metrics, which a grant has to cover. With --json each look is a line of JSON. Ctrl-C ends it.
`,
    )
    .examples("capstan top", "capstan top --once", "capstan top --json --interval 10s --count 6 > samples.ndjson");
}

const SHORTEST_MS = 100;

async function top(cli: Cli, flags: Flags): Promise<void> {
  const { io, printer } = cli;
  const interval = duration(flags.interval, "--interval");
  if (interval < SHORTEST_MS) throw usageFault(`--interval ${flags.interval}: ${SHORTEST_MS}ms is the shortest`);
  const live = io.terminal.stdout && !printer.json && !flags.once;
  const count = countOf(flags.count) ?? (live || (printer.json && !flags.once) ? Number.POSITIVE_INFINITY : 1);
  const target = await cli.target();
  const screen = live ? new Screen(cli) : undefined;
  const stopped = count > 1 ? io.stopped().then(() => true) : undefined;
  let before: Sample | undefined;
  try {
    for (let looks = 0; looks < count; looks++) {
      if (looks > 0 && (await pause(cli, interval, stopped))) return;
      const { sample, subscriptions } = await look(target);
      const text = (): string => topText(sample, before, subscriptions, target.url);
      if (screen === undefined) printer.data({ ...sample, subscriptions }, text);
      else screen.draw(text());
      before = sample;
    }
  } finally {
    screen?.end();
  }
}

/** In one round trip. Other grants than the administrator's need not cover subscriptions: it is not asked for in vain. */
async function look(target: Target): Promise<{ readonly sample: Sample; readonly subscriptions: readonly Lagging[] }> {
  const [metrics, listed] = await askAll(target, (send) => {
    const asked = send("node.metrics");
    return target.administrator ? [asked, send("subscription.list", { limit: 1000 })] : [asked];
  });
  const sample = answered(metrics as NonNullable<typeof metrics>) as Sample;
  const page = listed !== undefined && "value" in listed ? (listed.value as { items: readonly Lagging[] }) : undefined;
  return { sample, subscriptions: page?.items ?? [] };
}

function pause(cli: Cli, milliseconds: number, stopped: Promise<boolean> | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = cli.io.after(milliseconds, () => resolve(false));
    void stopped?.then(() => {
      cancel();
      resolve(true);
    });
  });
}

function countOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw usageFault(`--count "${printable(text)}" is no number of looks; write one of 1 or more`);
}

const HOME = "\u001b[H";
const ERASE_REST_OF_LINE = "\u001b[K";
const ERASE_BELOW = "\u001b[J";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const ERASE_ALL = "\u001b[2J";
const DEFAULT_ROWS = 24;

/** A terminal that is drawn over; what is on it at the end stays. */
class Screen {
  readonly #io: Cli["io"];
  #begun = false;

  constructor({ io }: Cli) {
    this.#io = io;
  }

  draw(text: string): void {
    const rows = (this.#io.terminal.rows?.() || DEFAULT_ROWS) - 1;
    const lines = shownLines(text).trimEnd().split("\n").slice(0, rows);
    const drawn = lines.map((line) => `${line}${ERASE_REST_OF_LINE}\n`).join("");
    this.#io.stdout(`${this.#begun ? "" : `${HIDE_CURSOR}${ERASE_ALL}`}${HOME}${drawn}${ERASE_BELOW}`);
    this.#begun = true;
  }

  end(): void {
    if (this.#begun) this.#io.stdout(SHOW_CURSOR);
  }
}
