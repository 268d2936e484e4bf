// Two neighbors and what is between them, for tests: connections as queues, in an order that the test chooses. Nothing is
// lost and nothing overtakes on one connection, unless the test cuts it.

import type { SessionContext } from "../session/context.ts";
import type { SessionEffect } from "../session/effect.ts";
import { config, context, type Name, other, violations } from "../session/session.fixture.ts";
import type { Message, Open } from "../wire/message.ts";
import { establishedSession, type Neighbor, type NeighborInput, neighborDeadline, newNeighbor } from "./neighbor.ts";
import { stepNeighbor } from "./step-neighbor.ts";

type Item = Message | "end";

interface Connection {
  readonly dialler: Name;
  /** Towards each of them. */
  readonly queues: Record<Name, Item[]>;
  /** Who still has it. */
  readonly open: Set<Name>;
}

export class TwoNeighbors {
  now = 1_000_000;
  readonly epochs: Record<Name, number> = { low: 1, upper: 1 };
  readonly neighbors: Record<Name, Neighbor> = { low: newNeighbor(), upper: newNeighbor() };
  readonly effects: { readonly name: Name; readonly effect: SessionEffect }[] = [];
  /** As the RIB has it, from `established` and `down` alone. */
  readonly up: Record<Name, string | undefined> = { low: undefined, upper: undefined };
  readonly #connections = new Map<string, Connection>();
  readonly #dials: Record<Name, string | undefined> = { low: undefined, upper: undefined };
  readonly #random: () => number;
  readonly #changes: Partial<SessionContext["config"]>;
  #dialled = 0;

  constructor(random: () => number = () => 0, changes: Partial<SessionContext["config"]> = {}) {
    this.#random = random;
    this.#changes = changes;
  }

  context(name: Name): SessionContext {
    const own = config(name, this.#changes);
    const local = { ...own.local, epoch: this.epochs[name] };
    return context(name, { now: this.now, random: this.#random, config: { ...own, local } });
  }

  input(name: Name, input: NeighborInput): void {
    const { neighbor, effects } = stepNeighbor(this.neighbors[name], input, this.context(name));
    this.neighbors[name] = neighbor;
    for (const session of [neighbor.dialled, ...neighbor.accepted.values()]) {
      const found = violations(session);
      if (found.length > 0) throw new Error(found.join("; "));
    }
    for (const effect of effects) this.#carryOut(name, effect);
    if (this.up[name] !== neighbor.current) throw new Error("the RIB has another connection than the neighbor");
  }

  /** What could happen next; the test says which of it does. */
  events(): (() => void)[] {
    const events: (() => void)[] = [];
    for (const name of ["low", "upper"] as const) {
      const dial = this.#dials[name];
      if (dial !== undefined) events.push(() => this.#connect(name, dial));
      for (const [id, connection] of this.#connections) {
        if (connection.open.has(name) && connection.queues[name].length > 0) {
          events.push(() => this.#arrive(name, id, connection));
        }
      }
    }
    return events;
  }

  /** Everything that is under way arrives, in an order by `pick` of so many. */
  quiet(pick: (events: number) => number = () => 0): void {
    for (let count = 0; count < 2000; count++) {
      const events = this.events();
      if (events.length === 0) return;
      events[pick(events.length) % events.length]?.();
    }
    throw new Error("it never ends");
  }

  /** The next timer of either, with everything that comes of it. `false`: there is none before `until`. */
  wait(until = Number.POSITIVE_INFINITY, pick?: (events: number) => number): boolean {
    const deadlines = (["low", "upper"] as const).map((name) => neighborDeadline(this.neighbors[name]) ?? until);
    const next = Math.min(...deadlines);
    if (next >= until) return false;
    this.now = Math.max(this.now, next);
    for (const name of ["low", "upper"] as const) this.input(name, { type: "tick" });
    this.quiet(pick);
    return true;
  }

  /** Connections that both have; each side's established one. */
  get open(): string[] {
    return [...this.#connections].filter(([, { open }]) => open.size > 0).map(([id]) => id);
  }

  established(name: Name): string | undefined {
    return establishedSession(this.neighbors[name])?.connection;
  }

  /** A connection breaks; what was under way on it is lost. */
  cut(id: string): void {
    const connection = this.#connections.get(id);
    for (const name of ["low", "upper"] as const) {
      if (connection?.open.delete(name)) this.input(name, { type: "failed", connection: id, text: "cut" });
    }
  }

  /** One side loses a connection; the other one goes on believing in it. */
  lose(name: Name, id: string): void {
    if (this.#connections.get(id)?.open.delete(name))
      this.input(name, { type: "failed", connection: id, text: "lost" });
  }

  /** A node starts again and remembers nothing. The other side does not notice: its connections stay open there. */
  restart(name: Name): void {
    for (const connection of this.#connections.values()) connection.open.delete(name);
    this.#dials[name] = undefined;
    this.epochs[name] += 1;
    this.up[name] = undefined;
    this.neighbors[name] = newNeighbor();
  }

  /** A dial under way neither comes through nor fails any more. */
  stallDial(name: Name): void {
    this.#dials[name] = undefined;
  }

  #carryOut(name: Name, effect: SessionEffect): void {
    this.effects.push({ name, effect });
    switch (effect.type) {
      case "dial":
        this.#dials[name] = `${name}-${++this.#dialled}`;
        break;
      case "abandon-dial":
        this.#dials[name] = undefined;
        break;
      case "send":
        this.#connections.get(effect.connection)?.queues[other(name)].push(effect.message);
        break;
      case "disconnect": {
        const connection = this.#connections.get(effect.connection);
        if (connection?.open.delete(name)) connection.queues[other(name)].push("end");
        break;
      }
      case "established":
        if (this.up[name] !== undefined) throw new Error("two are established");
        this.up[name] = effect.connection;
        break;
      case "down":
        if (this.up[name] !== effect.connection) throw new Error("what was not up is down");
        this.up[name] = undefined;
        break;
      case "deliver":
        break;
      default:
        effect satisfies never;
    }
  }

  #connect(name: Name, id: string): void {
    this.#dials[name] = undefined;
    this.#connections.set(id, { dialler: name, queues: { low: [], upper: [] }, open: new Set(["low", "upper"]) });
    this.input(name, { type: "made", connection: id });
  }

  #arrive(name: Name, id: string, { queues, open, dialler }: Connection): void {
    const item = queues[name].shift() as Item;
    if (item === "end") {
      open.delete(name);
      this.input(name, { type: "failed", connection: id, text: "closed by the other side" });
    } else if (name !== dialler && item.type === "open" && item.seq === 0) {
      this.input(name, { type: "accepted", connection: id, open: item as Open });
    } else {
      this.input(name, { type: "message", connection: id, message: item });
    }
  }
}
