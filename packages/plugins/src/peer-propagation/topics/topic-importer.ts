// Imports the topics of other nodes that are wanted here, each for as long as it is wanted.

import { MOST_CHANGES } from "../../publisher/elsewhere/import-schema.ts";
import type { TopicCarrier, TopicState } from "../../publisher/elsewhere/topics.ts";
import { isUndone } from "../thrown.ts";
import { type ImportedParts, ImportedTopic } from "./imported-topic.ts";
import { MOST_A_PEER } from "./topic-relay.ts";

/** How long to wait before a release that failed is tried again. */
const AGAIN_MS = 1_000;

export class TopicImporter implements TopicCarrier {
  readonly #parts: ImportedParts;
  readonly #topics = new Map<string, ImportedTopic>();
  #stopped = false;

  constructor(parts: Omit<ImportedParts, "crowded">) {
    this.#parts = { ...parts, crowded: () => this.#topics.size >= MOST_A_PEER };
  }

  /** The set of wanted topics has changed. */
  wants(topics: ReadonlySet<string>): void {
    const dropped: string[] = [];
    for (const [topic, imported] of this.#topics) {
      if (topics.has(topic)) continue;
      this.#topics.delete(topic);
      imported.stop();
      dropped.push(topic);
    }
    this.#release(dropped);
    for (const topic of topics) {
      if (!this.#topics.has(topic)) this.#topics.set(topic, new ImportedTopic(topic, this.#parts));
    }
  }

  stateOf(topic: string): TopicState | undefined {
    return this.#topics.get(topic)?.state;
  }

  /** Ways to these topics have changed. Others are not woken, so that a flapping way does not cost them anything. */
  look(topics: Iterable<string> = this.#topics.keys()): void {
    for (const topic of topics) this.#topics.get(topic)?.look();
  }

  stop(): void {
    this.#stopped = true;
    for (const imported of this.#topics.values()) imported.stop();
    this.#topics.clear();
  }

  /** Nobody wants these topics any more: their places are dropped, and the next reader begins at the end. */
  #release(dropped: readonly string[]): void {
    const { runtime } = this.#parts;
    for (let from = 0; from < dropped.length; from += MOST_CHANGES) {
      const topics = dropped.slice(from, from + MOST_CHANGES);
      runtime.note({ resource: "subscription", action: "release", data: { topics } }).catch((thrown: unknown) => {
        if (this.#stopped) return;
        if (!isUndone(thrown)) runtime.log.error({ error: String(thrown) }, "topics could not be released");
        else runtime.timers.after(AGAIN_MS, () => this.#release(topics.filter((topic) => !this.#topics.has(topic))));
      });
    }
  }
}
