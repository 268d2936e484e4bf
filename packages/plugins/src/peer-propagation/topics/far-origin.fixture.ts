// An origin that is the test's: what it publishes, by neighbours that answer as they are told to. Nothing takes time but what the clock
// is set to.

import { FaultError, fault, type Message } from "@capstan/orchestrator";
import { Clock } from "../../hub.fixture.ts";
import type { FarPublication, TopicPage } from "../../publisher/elsewhere/topics.ts";
import { FewLines } from "../few-lines.ts";
import type { Neighbour } from "../forward/neighbour.ts";
import { entryIn, logIn } from "./far-cursor.ts";
import { MOST_CHARACTERS } from "./topic-messages.ts";
import { type Path, Ways } from "./ways.ts";

export const TOPIC = "action.tick";
export const ORIGIN = "n-origin";

export interface Asked {
  readonly topic: string;
  readonly after?: string;
  readonly limit: number;
  readonly wait: number;
}

/** Its log: an entry a publication, and others between them. */
export class FarOrigin {
  log = "l-origin";
  readonly published: FarPublication[] = [];
  head = 10;
  /** The oldest entry that is kept. */
  first = 1;
  readonly #waiting = new Set<() => void>();
  #passed = 0;

  publish(...numbers: readonly unknown[]): void {
    for (const data of numbers) {
      const cursor = `${++this.head}.${this.log}`;
      this.published.push({ topic: TOPIC, cursor, id: `m-${this.head}`, at: 1, data, action: "tick", hops: 0 });
    }
    this.wake();
  }

  /** From a backup, as another log or the same. */
  restore(log: string): void {
    this.log = log;
    this.published.length = 0;
    this.wake();
  }

  /** Other entries than of the topic; whoever waits has waited long enough. */
  passes(entries: number): void {
    this.head += entries;
    this.#passed++;
    this.wake();
  }

  compact(before: number): void {
    this.first = before;
    this.wake();
  }

  /** Whoever waits looks again. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  at(entry: number): string {
    return `${entry}.${this.log}`;
  }

  async read({ after, limit, wait }: Asked): Promise<TopicPage> {
    if (after === undefined) return { items: [], next: this.at(this.head) };
    const from = entryIn(after);
    const passed = this.#passed;
    for (;;) {
      if (logIn(after) !== this.log) throw new FaultError(fault("CURSOR_FOREIGN", "of another log"));
      if (from > this.head) throw new FaultError(fault("CURSOR_FUTURE", "from the future"));
      if (from + 1 < this.first)
        throw new FaultError(fault("CURSOR_GONE", "compacted away", { first: this.at(this.first - 1) }));
      const items = within(this.published.filter(({ cursor }) => entryIn(cursor) > from).slice(0, limit));
      const last = items.at(-1);
      if (last !== undefined) return { items, next: last.cursor };
      if (wait === 0 || passed < this.#passed) return { items, next: this.at(this.head) };
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}

/** A page is as large as it may be, but for its first. */
function within(items: readonly FarPublication[]): readonly FarPublication[] {
  let room = MOST_CHARACTERS;
  const end = items.findIndex((one) => {
    room -= JSON.stringify(one).length;
    return room < 0;
  });
  return end < 0 ? items : items.slice(0, Math.max(1, end));
}

export class FarNeighbour implements Neighbour {
  ended = false;
  readonly asked: (Asked & { readonly via: readonly string[] })[] = [];
  /** Publications that crossed the link. */
  crossed = 0;
  #lost = Promise.withResolvers<never>();

  constructor(
    readonly name: string,
    public answer: (asked: Asked, nth: number) => unknown,
  ) {
    this.#lost.promise.catch(() => {});
  }

  async call(message: Message, { via }: { readonly via: readonly string[] }): Promise<unknown> {
    const asked = message.data as Asked;
    this.asked.push({ ...asked, via });
    const page = await Promise.race([this.answer(asked, this.asked.length), this.#lost.promise]);
    this.crossed += (page as Partial<TopicPage> | undefined)?.items?.length ?? 0;
    return page;
  }

  lose(): void {
    this.ended = true;
    this.#lost.reject(new Error("the session ended"));
  }
}

/** Ways to the origin by neighbours, best first; and lines of the log that were told. */
export function waysBy(neighbours: Readonly<Record<string, FarNeighbour>>, origins: readonly string[] = []) {
  const clock = new Clock();
  const lines: string[] = [];
  const line = (fields: object, text: string): void => void lines.push(`${text} ${JSON.stringify(fields)}`);
  const log = { debug: line, info: line, warn: line, error: line };
  const runtime = { timers: clock, now: clock.now, log };
  const paths: Path[] = Object.keys(neighbours).map((peer, i) => ({ peer, origin: origins[i] ?? ORIGIN }));
  const ways = new Ways({
    peers: {
      pathsOf: (route) => (route.startsWith("topic:action.t") ? paths : []),
      neighbour: (node) => neighbours[node],
      rateOf: () => undefined,
    },
    ...{ runtime, lines: new FewLines(runtime), patience: 1_000 },
  });
  return { clock, lines, runtime, paths, ways };
}

/** What was begun has gone as far as it goes by itself. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
}
