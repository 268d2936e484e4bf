// Sends this node's checkpoints to its peers, in keepalives: the newest when a session begins, and later ones as they change. The kernel's
// notary/ signs the checkpoints; this keeps track of what each peer was sent.

import type { PluginRuntime } from "@capstan/orchestrator";
import { FewLines } from "../few-lines.ts";
import { textOf } from "../thrown.ts";

export interface TellingParts {
  readonly runtime: PluginRuntime;
  /** Milliseconds between two checks for a new checkpoint. */
  readonly every: number;
  /** Resolves once checkpoints may be sent. */
  readonly ready: Promise<void>;
  /** Sends a keepalive to a node with a session; building it calls `take`. */
  keepAlive(node: string): void;
  /** Called at each check, while there are sessions. */
  looked(): void;
}

export class Telling {
  readonly #parts: TellingParts;
  readonly #lines: FewLines;
  /** By node with a session: the checkpoint's note that it was sent last. */
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
    // Only this peer is sent the checkpoint now, so that a flapping session costs the others nothing.
    void this.#refresh().then(() => {
      if (this.#told.has(node)) this.#parts.keepAlive(node);
    });
    this.#lookLater();
  }

  lost(node: string): void {
    this.#told.delete(node);
  }

  /** The checkpoint for the keepalive that is about to be sent to a node; `undefined` where the node has it already. */
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
