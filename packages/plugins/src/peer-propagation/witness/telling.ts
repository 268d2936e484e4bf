// Tells peers this node's checkpoints: the newest with each session, and from then on whenever there is another one, at the pace of
// keepalives. What it is told of is signed already (the kernel's notary/): here is only who was told what.

import type { PluginRuntime } from "@capstan/orchestrator";
import { FewLines } from "../few-lines.ts";
import { textOf } from "../links/outbox.ts";

export interface TellingParts {
  readonly runtime: PluginRuntime;
  /** Milliseconds between two looks whether there is another one. */
  readonly every: number;
  /** Resolves once there may be somebody to tell. */
  readonly ready: Promise<void>;
  /** Has a keepalive sent to a node that there is a session with: it asks for what to tell. */
  keepAlive(node: string): void;
  /** Called at each look, as long as there are sessions. */
  looked(): void;
}

export class Telling {
  readonly #parts: TellingParts;
  readonly #lines: FewLines;
  /** By node that there is a session with: the note that it was told last. */
  readonly #told = new Map<string, string | undefined>();
  #newest: string | undefined;
  #stopTimer: (() => void) | undefined;
  #stopped = false;

  constructor(parts: TellingParts) {
    this.#parts = parts;
    this.#lines = new FewLines(parts.runtime);
  }

  established(node: string): void {
    this.#told.set(node, undefined);
    // It alone is told at once: one that comes and goes costs the others nothing.
    void this.#refresh().then(() => {
      if (this.#told.has(node)) this.#parts.keepAlive(node);
    });
    this.#lookLater();
  }

  lost(node: string): void {
    this.#told.delete(node);
  }

  /** What a node is to be told with the keepalive that is about to be sent; `undefined` where it was. */
  take(node: string): string | undefined {
    const note = this.#newest;
    if (!this.#told.has(node) || note === this.#told.get(node)) return undefined;
    this.#told.set(node, note);
    return note;
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
    this.#told.clear();
  }

  #lookLater(): void {
    if (this.#stopTimer !== undefined || this.#stopped) return;
    const { runtime, every } = this.#parts;
    this.#stopTimer = runtime.timers.after(every, () => {
      this.#stopTimer = undefined;
      void this.#refresh().then(() => this.#look());
    });
  }

  #look(): void {
    if (this.#stopped || this.#told.size === 0) return;
    for (const [node, told] of [...this.#told]) if (told !== this.#newest) this.#parts.keepAlive(node);
    this.#parts.looked();
    this.#lookLater();
  }

  async #refresh(): Promise<void> {
    const { runtime, ready } = this.#parts;
    try {
      await ready;
      this.#newest = await runtime.reader.proofs.checkpoint();
    } catch (thrown) {
      this.#lines.warn("checkpoint", { error: textOf(thrown) }, "peers could not be told a checkpoint of this log");
    }
  }
}
