// The load: callers at every node that perform every action, with keys and without, each with a number of its own; and what each was told.

import { siblingId } from "@capstan/orchestrator";
import { remoteFault } from "@capstan/orchestrator/client";
import type { SeededRandom } from "../chaos/seeded-random.ts";
import type { NodeProcess, Session } from "./node-process.ts";
import type { Input, Output } from "./provider.ts";

export interface ActionUnderLoad {
  readonly name: string;
  readonly idempotent: boolean;
}

export type Came =
  | { readonly kind: "done"; readonly output: Output | undefined }
  | { readonly kind: "failed"; readonly code: string; readonly text: string }
  | { readonly kind: "ambiguous"; readonly execution: string }
  /** Its node died, and it had no key to ask again by. */
  | { readonly kind: "unanswered" };

/** A performing, and what came of it. */
export interface Asked {
  readonly n: number;
  readonly node: string;
  readonly action: ActionUnderLoad;
  readonly key: string | undefined;
  readonly input: Input;
  came: Came | undefined;
  /** Its node died while it was asked, and it was asked once more by its key. */
  twice: boolean;
}

/** A pause between two performings of a caller, at most: enough of them are in flight at any time, and others need the processors. */
const PAUSE_MS = 120;
const LONGEST_MS = 150;

export class Callers {
  readonly ledger: Asked[] = [];
  readonly #node: NodeProcess;
  readonly #random: SeededRandom;
  readonly #actions: readonly ActionUnderLoad[];
  readonly #next: () => number;
  #session: Session | undefined;
  #working = false;
  #done: Promise<unknown> = Promise.resolve();

  constructor(node: NodeProcess, random: SeededRandom, actions: readonly ActionUnderLoad[], next: () => number) {
    this.#node = node;
    this.#random = random;
    this.#actions = actions;
    this.#next = next;
  }

  begin(callers: number): void {
    this.#working = true;
    this.#done = Promise.all(Array.from({ length: callers }, () => this.#call()));
  }

  /** No new ones; resolves once those that are under way have ended, each in some way. */
  end(): Promise<unknown> {
    this.#working = false;
    return this.#done;
  }

  /** A session with the node, a new one where the last one broke. */
  async session(): Promise<Session> {
    await this.#node.up;
    if (this.#session !== undefined) return this.#session;
    const session = this.#node.connect();
    this.#session = session;
    session.onClose(() => {
      if (this.#session === session) this.#session = undefined;
    });
    return session;
  }

  close(): void {
    this.#session?.close();
  }

  async #call(): Promise<void> {
    const random = this.#random;
    while (this.#working) {
      await Bun.sleep(random.upTo(PAUSE_MS));
      if (!this.#working) return;
      const n = this.#next();
      const key = random.next() < 0.5 ? `k-${n}` : undefined;
      const wait = random.next() < 0.5 ? 0 : random.upTo(LONGEST_MS);
      const input = random.next() < 0.5 ? { n, before: wait, after: 0 } : { n, before: 0, after: wait };
      const action = random.pick(this.#actions);
      const asked: Asked = { n, node: this.#node.name, action, key, input, came: undefined, twice: false };
      this.ledger.push(asked);
      asked.came = await this.#perform(asked);
    }
  }

  async #perform(asked: Asked): Promise<Came> {
    const { action, key, input } = asked;
    for (;;) {
      const { scope } = await this.session();
      try {
        const options = key === undefined ? {} : { key };
        const { output } = await scope.action.perform({ name: action.name, input }, options);
        return { kind: "done", output: output as Output | undefined };
      } catch (thrown) {
        const { code, message, id } = remoteFault(thrown);
        if (code === "UNREACHABLE") {
          if (key === undefined) return { kind: "unanswered" };
          asked.twice = true;
          await Bun.sleep(50);
          continue;
        }
        if (code === "EXECUTION_AMBIGUOUS")
          return { kind: "ambiguous", execution: id === undefined ? "?" : siblingId(id, "x") };
        return { kind: "failed", code, text: message };
      }
    }
  }
}
