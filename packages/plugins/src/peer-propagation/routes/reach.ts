// What the speaker chose, on its way into the session table that the plugins read: in order, a bounded number a message.

import type { PluginRuntime } from "@capstan/orchestrator";
import { type Attributes, type BestChange, listOf, type Path } from "@capstan/peer";
import { topics } from "../../publisher/elsewhere/topics.ts";
import { MOST_REACHED, type Reached, type ReachRow, type Way } from "../schema.ts";
import { isUndone } from "../thrown.ts";
import { topicOfRoute } from "./topic-route.ts";

export interface ReachParts {
  readonly runtime: Pick<PluginRuntime, "note" | "log" | "given">;
  /** As whom ways to actions and topics are noted (registry/elsewhere.ts, publisher/elsewhere/topics.ts). */
  readonly by: string;
  /** Our name for a node that is a peer. */
  nameOf(node: string): string | undefined;
  /** The best path now. */
  best(route: string): Path | undefined;
}

const ACTION = "action:";
/** Ways that one message to another plugin notes, at most (registry/elsewhere.ts, publisher/elsewhere/topics.ts). */
const MOST_WAYS = 256;

type Told = Pick<BestChange, "name" | "now">;

export class Reach {
  readonly #parts: ReachParts;

  constructor(parts: ReachParts) {
    this.#parts = parts;
  }

  change(all: readonly BestChange[]): void {
    // Our own are no business of the tables': whoever has a thing looks there first.
    this.#tell(all.filter(({ before, now }) => isOfPeer(before) || isOfPeer(now)));
  }

  /** Nothing is reached any more by what this was told. */
  forget(routes: Iterable<string>): void {
    this.#tell([...routes].map((name) => ({ name, now: undefined })));
  }

  #tell(all: readonly Told[]): void {
    for (const some of slices(all, MOST_REACHED)) this.#note(this.#message("peer", this.#reached(some)), some);
    const { by, runtime } = this.#parts;
    const actions = all.filter(({ name }) => name.startsWith(ACTION));
    for (const some of slices(actions, MOST_WAYS)) {
      const changes = some.map(({ name, now }) => ({ name: name.slice(ACTION.length), way: this.#actionWay(now) }));
      this.#note(this.#message("action", { by, changes }), some);
    }
    const ofTopics = all.filter(({ name }) => topicOfRoute(name) !== undefined);
    for (const some of slices(ofTopics, MOST_WAYS)) {
      const changes = some.map(({ name, now }) => ({
        topic: topicOfRoute(name) as string,
        way: this.#topicWay(now),
      }));
      this.#note(runtime.given(topics).reach(by, changes), some);
    }
  }

  #message(resource: string, data: unknown): Promise<unknown> {
    return this.#parts.runtime.note({ resource, action: "reach", data });
  }

  #note(noted: Promise<unknown>, told: readonly Told[]): void {
    const { runtime, best } = this.#parts;
    noted.catch((thrown: unknown) => {
      // What the disk refused was undone, and this with it: it is told again, as it is by now.
      if (isUndone(thrown)) this.#tell(told.map(({ name }) => ({ name, now: best(name) })));
      else runtime.log.error({ error: String(thrown) }, "routes could not be noted");
    });
  }

  /** Those that stand together and have one way share it: tables come in the order of their announcements. */
  #reached(told: readonly Told[]): Reached {
    const routes: string[] = [];
    const rows: (ReachRow | undefined)[] = [];
    let shared: Attributes | undefined;
    let way: Way | undefined;
    for (const { name, now } of told) {
      routes.push(name);
      if (now?.attributes.peer === undefined) {
        rows.push(undefined);
        continue;
      }
      const { attributes, digest, repeatable } = now;
      if (way === undefined || attributes !== shared) way = this.#way(attributes);
      shared = attributes;
      // Frozen here, as rows are: to look for what is in it costs more (message.ts, deepFreeze).
      rows.push(Object.freeze(repeatable === undefined ? { way, digest } : { way, digest, repeatable }));
    }
    return { routes, rows };
  }

  #way({ peer = "", path, tags, chunk }: Attributes): Way {
    const { node: origin, domain: originDomain } = chunk.claim;
    const name = this.#parts.nameOf(peer) ?? peer;
    return Object.freeze({ peer, name, path, tags, origin, originDomain });
  }

  #actionWay(now: Path | undefined) {
    if (now?.attributes.peer === undefined) return null;
    const { digest, repeatable } = now;
    return { ...this.#topicWay(now), digest, ...(repeatable === undefined ? {} : { repeatable }) };
  }

  #topicWay(now: Path | undefined) {
    const node = now?.attributes.peer;
    if (now === undefined || node === undefined) return null;
    const { path, chunk } = now.attributes;
    return { peer: this.#parts.nameOf(node) ?? node, node, path: listOf(path), origin: chunk.claim.node };
  }
}

/** Whether a path is another node's: our own have no peer. */
function isOfPeer(path: Path | undefined): boolean {
  return path?.attributes.peer !== undefined;
}

function* slices<T>(all: readonly T[], most: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += most) yield all.length <= most ? all : all.slice(from, from + most);
}
