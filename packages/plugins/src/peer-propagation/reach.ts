// What the speaker chose, on its way into the session table that the plugins read: in order, a bounded number a message.

import type { PluginRuntime } from "@capstan/orchestrator";
import type { BestChange, Path } from "@capstan/peer";
import { MOST_REACHED, type ReachRow } from "./schema.ts";

export interface ReachParts {
  readonly runtime: Pick<PluginRuntime, "note" | "log">;
  /** As whom ways to actions are noted (registry/elsewhere.ts). */
  readonly by: string;
  /** Our name for a node that is a peer. */
  nameOf(node: string): string | undefined;
  /** The best path now. */
  best(route: string): Path | undefined;
}

const ACTION = "action:";

type Told = readonly [route: string, row: ReachRow | null];

/** Whether a note was decided, and undone with what it was decided on. */
export function isUndone(thrown: unknown): boolean {
  return (thrown as { readonly code?: unknown } | undefined)?.code === "LOG_UNAVAILABLE";
}

export class Reach {
  readonly #parts: ReachParts;

  constructor(parts: ReachParts) {
    this.#parts = parts;
  }

  change(all: readonly BestChange[]): void {
    // Our own are no business of the tables': whoever has a thing looks there first.
    const changes = all.filter(({ before, now }) => (before?.attributes.peer ?? now?.attributes.peer) !== undefined);
    this.#tell(changes.map(({ name, now }) => [name, this.#row(now)]));
  }

  /** Nothing is reached any more by what this was told. */
  forget(routes: Iterable<string>): void {
    this.#tell([...routes].map((route) => [route, null]));
  }

  #tell(all: readonly Told[]): void {
    for (let from = 0; from < all.length; from += MOST_REACHED) {
      const rows = all.slice(from, from + MOST_REACHED);
      const names = rows.map(([route]) => route);
      this.#note("peer", { changes: rows }, names);
      const actions = rows
        .filter(([route]) => route.startsWith(ACTION))
        .map(([route, row]) => ({ name: route.slice(ACTION.length), way: row === null ? null : wayOf(row) }));
      if (actions.length > 0) this.#note("action", { by: this.#parts.by, changes: actions }, names);
    }
  }

  #note(resource: string, data: unknown, routes: readonly string[]): void {
    const { runtime, best } = this.#parts;
    runtime.note({ resource, action: "reach", data }).catch((thrown: unknown) => {
      // What the disk refused was undone, and this with it: it is told again, as it is by now.
      if (isUndone(thrown)) this.#tell(routes.map((route) => [route, this.#row(best(route))]));
      else runtime.log.error({ error: String(thrown) }, "routes could not be noted");
    });
  }

  #row(now: Path | undefined): ReachRow | null {
    const peer = now?.attributes.peer;
    if (now === undefined || peer === undefined) return null;
    const { path, tags, chunk } = now.attributes;
    const { node: origin, domain: originDomain } = chunk.claim;
    const name = this.#parts.nameOf(peer) ?? peer;
    return { peer, name, path: [...path], tags: [...tags], digest: now.digest, origin, originDomain };
  }
}

function wayOf({ name, peer, path, origin, digest }: ReachRow) {
  return { peer: name, node: peer, path, origin, digest };
}
