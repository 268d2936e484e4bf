// Watches peers that are being stopped: once a peer has been told that no route leads through this node, and calls in flight have ended (or the time
// is over), it sends the message that ends the session.

import type { FollowedRow, PluginRuntime } from "@capstan/orchestrator";
import { type PeerRow, peerSessionTable, peerTable } from "../schema.ts";
import { inFlight } from "./decide-stop.ts";

const LOOK_MS = 25;

export interface DrainsParts {
  readonly runtime: PluginRuntime;
  /** Whether a node has been told that no route leads through this one. */
  leadsNowhere(node: string): boolean;
}

export class Drains {
  readonly #parts: DrainsParts;
  readonly #runtime: PluginRuntime;
  readonly #timers = new Map<string, () => void>();

  constructor(parts: DrainsParts) {
    this.#parts = parts;
    this.#runtime = parts.runtime;
  }

  /** Rows of the table of peers became durable. After a start nothing is in flight. */
  changed(rows: readonly FollowedRow[]): void {
    for (const { key: name, row } of rows) {
      const { draining } = (row ?? {}) as Partial<PeerRow>;
      if (draining !== undefined && !this.#timers.has(name)) this.#later(name, undefined);
    }
  }

  stop(): void {
    for (const stopTimer of this.#timers.values()) stopTimer();
    this.#timers.clear();
  }

  /** @param quiet the entry as of which nothing was in flight: once that is durable, the answers have left */
  #later(name: string, quiet: number | undefined): void {
    const stopTimer = this.#runtime.timers.after(LOOK_MS, () => this.#look(name, quiet));
    this.#timers.set(name, stopTimer);
  }

  #look(name: string, quiet: number | undefined): void {
    const { reader, note, log, durable, now } = this.#runtime;
    const row = reader.get(peerTable, name);
    if (row?.draining === undefined) {
      this.#timers.delete(name);
      return;
    }
    const { node } = row;
    const hasSession = node !== undefined && reader.get(peerSessionTable, name) !== undefined;
    const isBusy = hasSession && (inFlight(reader, row) > 0 || !this.#parts.leadsNowhere(node));
    const isOver = !isBusy && quiet !== undefined && quiet <= durable;
    if (!isOver && now() < row.draining.until) {
      this.#later(name, isBusy ? undefined : (quiet ?? reader.revision));
      return;
    }
    note({ resource: "peer", action: "drained", data: { name } })
      .catch((thrown: unknown) => log.warn({ name, error: String(thrown) }, "a peer could not be stopped; once more"))
      .finally(() => {
        if (this.#timers.has(name)) this.#later(name, undefined);
      });
  }
}
