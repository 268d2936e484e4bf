// `capstan tail`: publications as they come, from now on or from any point of history. The cursor is all that there is to it: a
// connection or a server that is lost is asked again from there, without a gap and without a repeat.

import { FaultError, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { exitCodeOf, exitCodes } from "../fault/exit-codes.ts";
import { thrownFault, usageFault } from "../fault/thrown.ts";
import { type Filter, filterOf, passes } from "../input/filter.ts";
import { brief } from "../output/brief.ts";
import { columns, instant } from "../output/columns.ts";
import { shown } from "../output/shown.ts";
import { ask } from "../remote/ask.ts";
import type { Publication } from "../remote/publication-page.ts";
import type { Target } from "../settings/target.ts";

interface Flags {
  readonly subscription?: string;
  readonly from?: string;
  readonly filter?: readonly string[];
  readonly limit?: string;
  readonly follow: boolean;
  readonly ack?: boolean;
}

const EVERYTHING = "action.*";
const repeated = (text: string, before: string[] = []): string[] => [...before, text];

export function tailCommand(program: Command, cli: Cli): void {
  program
    .command("tail")
    .description("Show publications as they come.")
    .argument("[topic...]", `exact, or a prefix with * (default: ${EVERYTHING})`)
    .option("--subscription <id>", "what a subscription is of, from where it is")
    .option("--from <cursor>", "now, start, or a cursor (default: now)")
    .option(
      "--filter <path=value>",
      "only where a field is that: data.customer=7; may be given more than once",
      repeated,
    )
    .option("--limit <n>", "end after so many")
    .option("--no-follow", "end where there are no more for now")
    .option("--ack", "acknowledge to the subscription what was shown")
    .action((topics: string[], flags: Flags) => tail(cli, topics, flags))
    .addHelpText(
      "after",
      `
With --json each is a line of JSON, with the cursor that one goes on from after it. What was lost is connected to again, and goes on
where it was. Ctrl-C ends it with 0.
`,
    )
    .examples(
      "capstan tail",
      "capstan tail action.greet --from start --no-follow --json",
      "capstan tail 'action.order/*' --filter data.state=paid --limit 1",
    );
}

async function tail(cli: Cli, topics: readonly string[], flags: Flags): Promise<void> {
  const filters = (flags.filter ?? []).map(filterOf);
  const limit = limitOf(flags.limit);
  const { subscription } = flags;
  if (subscription !== undefined && topics.length > 0)
    throw usageFault("tail: --subscription says of what already; leave the topics out");
  if (flags.ack && subscription === undefined) throw usageFault("tail: --ack needs --subscription");
  const target = await cli.target();
  const wide = subscription === undefined ? commonTopic(topics) : undefined;
  const of = wide === undefined ? { id: subscription } : { topic: wide };
  const wanted = (one: Publication): boolean =>
    (topics.length < 2 || topics.some((topic) => covers(topic, one.topic))) && passesAll(filters, one);
  const server = new Patient(cli, target);
  const { pageOf } = await import("../remote/publication-page.ts");
  let cursor = flags.from ?? (subscription === undefined ? "now" : undefined);
  let seen = 0;
  while (seen < limit) {
    // Until there is a cursor nobody knows where to go on from.
    const wait = flags.follow && server.answered ? WAIT_MS : 0;
    const asked = { ...of, ...(cursor === undefined ? {} : { after: cursor }), limit: PAGE, wait };
    const answer = await server.ask("subscription.read", asked, cursor);
    if (answer === undefined) break;
    const page = pageOf(answer);
    for (const item of page.items) {
      if (wanted(item)) {
        cli.printer.data(item, () => columns([[instant(item.at), item.topic, brief(item.data)]]));
        seen++;
      }
      cursor = item.cursor;
      if (seen >= limit) break;
    }
    if (seen < limit) cursor = page.next;
    if (flags.ack && page.items.length > 0)
      await server.ask("subscription.acknowledge", { id: subscription, cursor }, cursor);
    if (!flags.follow && page.next === page.head) break;
  }
  if (cursor !== undefined && cursor !== "now" && cursor !== "start") {
    const whose = subscription === undefined ? topics : ["--subscription", subscription];
    const words = [...whose, ...(flags.filter ?? []).flatMap((filter) => ["--filter", filter])];
    cli.printer.note(
      `  to go on from here: ${["capstan tail", ...words.map(quoted), "--from", cursor].map(shown).join(" ")}`,
    );
  }
}

const PAGE = 200;
const WAIT_MS = 20_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** A server that is asked until it answers, from wherever one was. */
class Patient {
  readonly #cli: Cli;
  readonly #target: Target;
  readonly #stopped: Promise<undefined>;
  /** From the first answer on there is somewhere to go on from. */
  answered = false;

  constructor(cli: Cli, target: Target) {
    this.#cli = cli;
    this.#target = target;
    this.#stopped = cli.io.stopped().then(() => undefined);
  }

  /** `undefined` where somebody asked to stop. @throws FaultError where it cannot get better by itself */
  async ask(name: string, data: object, cursor: string | undefined): Promise<unknown> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        const answer = await Promise.race([ask(this.#target, name, data), this.#stopped]);
        this.answered = true;
        return answer;
      } catch (thrown) {
        if (!this.answered || !comesBack(thrown)) throw thrown;
        if (pause === FIRST_PAUSE_MS) {
          const why = shown(thrownFault(thrown).message);
          this.#cli.printer.note(`  ${why}; going on from ${shown(String(cursor))} once it is back`);
        }
      }
      if (await this.#pauses(pause)) return undefined;
    }
  }

  /** Whether somebody asked to stop meanwhile. */
  #pauses(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#cli.io.after(milliseconds, () => resolve(false));
      void this.#stopped.then(() => {
        cancel();
        resolve(true);
      });
    });
  }
}

/** A server that restarts comes back with the same log. */
function comesBack(thrown: unknown): boolean {
  if (!(thrown instanceof FaultError)) return false;
  const exit = exitCodeOf(thrown.code);
  return exit === exitCodes.unavailable || exit === exitCodes.tryAgain;
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text);
  throw usageFault(`--limit "${printable(text)}" is no number of publications; write one of 1 or more`);
}

function passesAll(filters: readonly Filter[], one: Publication): boolean {
  return filters.every((filter) => passes(filter, one));
}

function covers(topic: string, one: string): boolean {
  return topic.endsWith("*") ? one.startsWith(topic.slice(0, -1)) : one === topic;
}

/** One that covers all of them: several are read in one order, by one cursor. */
function commonTopic(topics: readonly string[]): string {
  const [first = EVERYTHING, ...others] = topics;
  if (others.length === 0) return first;
  const bare = topics.map((topic) => topic.replace(/\*$/, ""));
  const [one = "", ...rest] = bare;
  let length = 0;
  while (length < one.length && rest.every((other) => other[length] === one[length])) length++;
  const prefix = one.slice(0, length);
  if (prefix.includes(".")) return `${prefix}*`;
  throw usageFault(`tail: ${topics.map((topic) => `"${printable(topic)}"`).join(" and ")} have no beginning in common`);
}

function quoted(word: string): string {
  return /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
