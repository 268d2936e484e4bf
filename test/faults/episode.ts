// One trial: the disk begins to fail under load, what the node then does is looked at, and the disk works again. Everything
// is waited for by what happens (an acknowledgement, a refusal), with limits that only a wrong node reaches.

import type { Connected } from "@capstan/orchestrator/client";
import { remoteFault } from "@capstan/orchestrator/client";
import type { Asked } from "../chaos/client.ts";
import type { Load } from "../chaos/load.ts";
import type { SeededRandom } from "../chaos/seeded-random.ts";
import type { ServerProcess } from "../chaos/server-process.ts";
import type { Kind } from "./kinds.ts";
import type { Medium } from "./medium.ts";

export interface Trial {
  readonly kind: string;
  /** First acknowledgements from the trial's start to its end. */
  readonly acknowledged: number;
  /** Refusals of the clients' commands while the disk failed. */
  readonly refused: number;
  /** Operations that the disk failed; `undefined` where it does not count. */
  readonly failed: number | undefined;
  /** From when the disk worked again until something was acknowledged; `undefined` where the node was killed before. */
  readonly recoveredMs: number | undefined;
}

interface Limits {
  /** What has not happened by then does not happen. */
  readonly mostWaitMs: number;
  /** Within this a node whose disk works again acknowledges something. */
  readonly mostRecoveryMs: number;
}

/** A disk with some room left takes small groups and fails large ones: a read may meet several that are undone. */
const MOST_ASKED = 5;
/** How many acknowledgements pass between two looks at whether the disk failed anything yet. */
const LOOK_EVERY = 20;

export class Episode {
  readonly #connection: Connected;
  readonly #medium: Medium;
  readonly #load: Load;
  readonly #random: SeededRandom;
  readonly #violation: (text: string) => void;
  readonly #limits: Limits;
  #acknowledged = 0;
  #refused = 0;
  #last: Asked | undefined;
  #probes = 0;
  #wake: (() => void)[] = [];
  #dead = false;

  constructor(
    server: ServerProcess,
    medium: Medium,
    load: Load,
    random: SeededRandom,
    violation: (text: string) => void,
    limits: Limits,
  ) {
    this.#limits = limits;
    this.#connection = server.connect();
    server.exited.then(() => {
      this.#dead = true;
      this.#happened();
    });
    this.#medium = medium;
    this.#load = load;
    this.#random = random;
    this.#violation = violation;
  }

  /** The node ended by itself, which no fault of a disk may make it do. */
  get dead(): boolean {
    return this.#dead;
  }

  /** A client was refused. */
  refused(): void {
    this.#refused++;
    this.#happened();
  }

  /** @param stays the disk goes on failing: the node is going to be killed while it does */
  async run(kind: Kind, stays: boolean): Promise<Trial> {
    this.#acknowledged = 0;
    this.#refused = 0;
    this.#load.onAcknowledged = (asked) => {
      this.#acknowledged++;
      this.#last = asked;
      this.#happened();
    };
    const before = this.#random.upTo(30);
    await this.#until("load", () => this.#acknowledged >= before);
    await this.#medium.on(kind);
    await this.#shows(kind);
    await this.#look(kind);
    const refused = this.#refused;
    const common = { kind: kind.name, refused };
    if (stays)
      return {
        ...common,
        acknowledged: this.#acknowledged,
        failed: await this.#medium.failed(),
        recoveredMs: undefined,
      };

    const failed = await this.#medium.off();
    const startedAt = performance.now();
    const sofar = this.#acknowledged;
    await this.#until(`recovery from ${kind.name}`, () => this.#acknowledged > sofar);
    const recoveredMs = performance.now() - startedAt;
    if (recoveredMs > this.#limits.mostRecoveryMs)
      this.#violation(`${kind.name}: recovered after ${Math.round(recoveredMs)} ms`);
    return { ...common, acknowledged: this.#acknowledged, failed, recoveredMs };
  }

  close(): void {
    this.#load.onAcknowledged = () => {};
    this.#connection.close();
  }

  /** Until the fault has shown itself to a client, or, where it must not, until the disk says that it failed something. */
  async #shows(kind: Kind): Promise<void> {
    if (kind.effect === "refused" || kind.effect === "crowded") {
      const refusals = this.#random.upTo(20);
      return this.#until(`a refusal at ${kind.name}`, () => this.#refused >= refusals);
    }
    // What must be read from the disk is asked for; the clients' commands may need nothing of it.
    if (kind.effect === "unread") return;
    while (!this.#dead && (await this.#medium.failed()) === 0) {
      const next = this.#acknowledged + LOOK_EVERY;
      await this.#until(`work at ${kind.name}`, () => this.#acknowledged >= next);
    }
    const after = this.#acknowledged + this.#random.upTo(50);
    await this.#until(`work after ${kind.name}`, () => this.#acknowledged >= after);
  }

  /** Reads are served, whatever the disk does to writes; commands are refused as something to try again. */
  async #look({ name, effect }: Kind): Promise<void> {
    const { scope } = this.#connection;
    const execution = this.#last?.acknowledged?.execution;
    const reads: [string, string, unknown][] = [
      ["log", "head", {}],
      ["action", "describe", { name: "sync" }],
      ["log", "list", { limit: 5 }],
      ["log", "show", { entry: 1 }],
    ];
    if (execution !== undefined) reads.push(["execution", "show", { id: execution }]);
    for (const [resource, action, data] of reads) {
      let code = "LOG_UNAVAILABLE";
      // One that was answered on what was then undone is to be asked again.
      for (let asked = 0; asked < MOST_ASKED && code === "LOG_UNAVAILABLE"; asked++) {
        code = await codeOf(scope.applyAction({ resource, action, data }));
      }
      const fine = code === "ok" || (effect === "unread" && code === "LOG_UNAVAILABLE");
      if (!fine) this.#violation(`${name}: ${resource}.${action} was answered ${code}`);
    }
    if (effect !== "refused") return;
    const key = `probe-${process.pid}-${++this.#probes}`;
    const input = { key, text: "" };
    const message = { resource: "action", action: "perform", data: { name: "sync", input } };
    const code = await codeOf(scope.applyAction(message, { key }));
    if (code !== "LOG_UNAVAILABLE") this.#violation(`${name}: a command was answered ${code}`);
  }

  #happened(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #until(what: string, there: () => boolean): Promise<void> {
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      this.#happened();
    }, this.#limits.mostWaitMs);
    while (!there() && !late && !this.#dead) await new Promise<void>((resolve) => this.#wake.push(resolve));
    clearTimeout(limit);
    if (late) this.#violation(`no ${what} in ${this.#limits.mostWaitMs} ms`);
  }
}

async function codeOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => "ok",
    (thrown) => remoteFault(thrown).code,
  );
}
