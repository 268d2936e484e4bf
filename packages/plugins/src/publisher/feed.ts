// The head of the log, followed once for all: each group that became durable is read, those who rest and whose topic it has are
// woken, and what changes who is handed what is told of. It hands out nothing itself and so keeps nothing.

import type { PluginRuntime } from "@capstan/orchestrator";
import type { History, Publishing, Turn } from "./history.ts";
import { isPattern } from "./topic.ts";

export interface Resting {
  readonly topic: string;
  wake(entry: number): void;
}

export interface FeedParts {
  readonly history: History;
  readonly runtime: Pick<PluginRuntime, "durable" | "onAdvance" | "log" | "timers">;
  /** Whether there is anybody to tell of turns. */
  heeded(): boolean;
  turned(turns: readonly Turn[]): void;
  /** What was decided may have been undone. */
  undone(): void;
  /** Everything up to this entry was told of. */
  passed(entry: number): void;
}

/** Who left may be back soon, as those who read page after page are: for so many entries it reads on without anybody. */
const LINGERS = 1024;
/** Before what could not be read is read again. */
const AGAIN_MS = 500;

export class Feed {
  readonly #parts: FeedParts;
  readonly #byTopic = new Map<string, Set<Resting>>();
  readonly #patterns = new Set<Resting>();
  #position: number;
  #reading = false;
  #joined = 0;
  /** Where it was as the last one left. */
  #left = Number.NEGATIVE_INFINITY;
  #stop: () => void;
  #stopAgain = (): void => {};

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#position = parts.runtime.durable;
    this.#stop = parts.runtime.onAdvance(() => this.#advance());
  }

  /** Everything up to this entry was told of. */
  get position(): number {
    return this.#position;
  }

  /** Answers how to leave again. */
  join(one: Resting): () => void {
    this.#joined++;
    const leave = this.#rests(one);
    return () => {
      if (!leave()) return;
      this.#joined--;
      this.#left = this.#position;
    };
  }

  /** Answers how it does so no more, which answers whether it did until then. */
  #rests(one: Resting): () => boolean {
    if (isPattern(one.topic)) {
      this.#patterns.add(one);
      return () => this.#patterns.delete(one);
    }
    const others = this.#byTopic.get(one.topic) ?? new Set();
    this.#byTopic.set(one.topic, others.add(one));
    return () => {
      const rested = others.delete(one);
      if (others.size === 0 && this.#byTopic.get(one.topic) === others) this.#byTopic.delete(one.topic);
      return rested;
    };
  }

  stop(): void {
    this.#stop();
    this.#stopAgain();
  }

  #advance(): void {
    const { durable } = this.#parts.runtime;
    if (durable <= this.#position) this.#parts.undone();
    else if (this.#reading) return;
    else if (this.#joined > 0 || durable - this.#left <= LINGERS || this.#parts.heeded()) this.#read();
    else {
      // Nobody to wake: where nobody subscribed, publishing costs nothing. What was erased is not noticed, and so nothing is kept.
      this.#position = durable;
      this.#parts.history.forget();
    }
  }

  #read(): void {
    const { history, runtime } = this.#parts;
    const failed = (thrown: unknown): void => {
      this.#reading = false;
      runtime.log.error({ error: String(thrown) }, "what was published could not be read; it is tried again");
      this.#stopAgain();
      this.#stopAgain = runtime.timers.after(AGAIN_MS, () => {
        if (!this.#reading) this.#read();
      });
    };
    this.#reading = true;
    try {
      while (this.#position < runtime.durable) {
        const after = this.#position;
        const page = history.passing(after);
        if (page instanceof Promise) {
          const told = page.then((one) => {
            this.#told(after, one.items, one.to);
            this.#read();
          });
          told.catch(failed);
          return;
        }
        this.#told(after, page.items, page.to);
      }
      this.#reading = false;
    } catch (thrown) {
      failed(thrown);
    }
  }

  #told(after: number, items: readonly Publishing[], to: number): void {
    for (const { topics, entry } of items) {
      for (const topic of topics) for (const one of this.#byTopic.get(topic) ?? NOBODY) one.wake(entry);
      for (const one of this.#patterns) one.wake(entry);
    }
    this.#position = to;
    const turns = this.#parts.history.turns(after, to);
    if (turns.length > 0) this.#parts.turned(turns);
    this.#parts.passed(to);
  }
}

const NOBODY: readonly Resting[] = [];
