// Chaos: a server under load is killed, started again on what it left, and held to what it had said. One cycle is: load,
// kill, look at the log, start, ask again. The server is a process of its own; this one holds the clients and the checks.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Evidence } from "./evidence.ts";
import { KILL_POINTS, type KillPoint, mostOperations, PHASES } from "./kill-point.ts";
import { Load, listAmbiguous, registerActions } from "./load.ts";
import { SeededRandom } from "./seeded-random.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { verifyAsked, verifyListed, verifySettled } from "./verify.ts";

export type Control = keyof typeof CAUGHT_BY;

/** What a control has to be caught by: that something else goes wrong with it proves nothing. */
const CAUGHT_BY = { early: "acknowledged, and lost", twice: "not idempotent, and ran" } as const;

export interface ChaosOptions {
  readonly cycles: number;
  readonly clients: number;
  readonly seed: number;
  /** Acknowledged in each cycle before the kill is armed, at least. */
  readonly acknowledged: number;
  /** Where to kill in which cycle; default: the phases in turn, and in each its points. */
  readonly points?: readonly KillPoint[];
  /** A build that is wrong on purpose: it replies before its commit, or runs what must not run twice as if it might. */
  readonly control?: Control;
  /** Within so many milliseconds a server that was killed is ready again. Default: 2000, on a machine that does nothing else. */
  readonly mostReadyMs?: number;
  readonly onCycle?: (cycle: Cycle) => void;
}

export interface Cycle {
  readonly cycle: number;
  readonly point: KillPoint;
  readonly acknowledged: number;
  /** Open when the server died, and asked again under the same key. */
  readonly askedAgain: number;
  /** Of these, how many were committed, and joined what they had asked before. */
  readonly joined: number;
  /** Executions listed as ambiguous, in all. */
  readonly ambiguous: number;
  readonly entries: number;
  readonly readyMs: number;
  readonly violations: readonly string[];
}

const MOST_READY_MS = 2_000;
/** A kill point that is not reached by then is a hole in the test. */
const KILL_DEADLINE_MS = 30_000;

/** Runs the cycles; a control's ends with the first that is caught. */
export async function runChaos(options: ChaosOptions): Promise<readonly Cycle[]> {
  const directory = mkdtempSync(join(tmpdir(), "capstan-chaos-"));
  let server: ServerProcess | undefined;
  try {
    const run = new Run(directory, options);
    server = await startServer(directory, { early: options.control === "early" });
    await registerActions(server, options.control === "twice");
    const cycles: Cycle[] = [];
    while (cycles.length < options.cycles) {
      const last: boolean = cycles.length === options.cycles - 1;
      const cycle: Cycle = await run.cycle(server, cycles.length + 1, last, (next) => {
        server = next;
      });
      cycles.push(cycle);
      options.onCycle?.(cycle);
      if (options.control !== undefined && catches(cycle, options.control)) break;
    }
    return cycles;
  } finally {
    server?.kill();
    await server?.exited;
    rmSync(directory, { recursive: true, force: true });
  }
}

export function catches({ violations }: Cycle, control: Control): boolean {
  return violations.some((text) => text.includes(CAUGHT_BY[control]));
}

class Run {
  readonly #options: ChaosOptions;
  readonly #directory: string;
  readonly #random: SeededRandom;
  readonly #load: Load;
  readonly #evidence: Evidence;
  #violations: string[] = [];
  #listed: readonly string[] = [];

  constructor(directory: string, options: ChaosOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#load = new Load(options.clients, this.#random, this.#violation);
    this.#evidence = new Evidence(directory, this.#violation);
  }

  readonly #violation = (text: string): void => void this.#violations.push(text);

  async cycle(
    server: ServerProcess,
    cycle: number,
    last: boolean,
    started: (server: ServerProcess) => void,
  ): Promise<Cycle> {
    this.#violations = [];
    const point = this.#pointOf(cycle);
    const acknowledged = await this.#loadAndKill(server, point);
    await this.#look();
    const joined = this.#load.open().filter(({ key }) => this.#evidence.performs.has(key)).length;

    const next = await startServer(this.#directory, { early: this.#options.control === "early" });
    started(next);
    const { mostReadyMs = MOST_READY_MS } = this.#options;
    if (next.readyMs >= mostReadyMs) this.#violation(`ready after ${Math.round(next.readyMs)} ms`);
    const askedAgain = this.#load.open().length;
    await this.#load.settle(next);
    verifySettled(this.#load.ledgers(), this.#violation);
    this.#listed = await listAmbiguous(next);
    if (last) await this.#end(next);
    const counts = { acknowledged, askedAgain, joined, ambiguous: this.#listed.length, entries: this.#evidence.head };
    return { cycle, point, ...counts, readyMs: next.readyMs, violations: this.#violations };
  }

  /** The phases take turns, and in each of them its points. */
  #pointOf(cycle: number): KillPoint {
    const turn = cycle - 1;
    const { points } = this.#options;
    if (points !== undefined) return inTurn(points, turn);
    return inTurn<KillPoint>(KILL_POINTS[inTurn(PHASES, turn)], Math.floor(turn / PHASES.length));
  }

  /** Lets the clients work until enough is acknowledged, then has the server die. Answers how much was. */
  async #loadAndKill(server: ServerProcess, point: KillPoint): Promise<number> {
    let acknowledged = 0;
    const after = this.#random.upTo(mostOperations(point));
    const killAt = this.#options.acknowledged + (point === "outside" ? after : 0);
    const deadline = setTimeout(() => {
      this.#violation(`${point} was not reached in ${KILL_DEADLINE_MS} ms`);
      server.kill();
    }, KILL_DEADLINE_MS);
    this.#load.onAcknowledged = () => {
      if (++acknowledged !== killAt) return;
      if (point === "outside") server.kill();
      else server.arm(point, after);
    };
    await this.#load.work(server);
    const { signal, killedAt = "outside" } = await server.exited;
    clearTimeout(deadline);
    if (signal !== "SIGKILL" || killedAt !== point)
      this.#violation(`meant to die at ${point}, died at ${killedAt} (${signal})`);
    this.#load.onAcknowledged = () => {};
    return acknowledged;
  }

  async #look(): Promise<void> {
    await this.#evidence.read();
    verifyAsked(this.#load.ledgers(), this.#evidence, this.#violation);
    // Only a start finds something to be ambiguous: what the last one listed is what is committed now.
    verifyListed(this.#listed, this.#evidence, this.#violation);
  }

  /** The last server ends as one should, and is looked at once more. */
  async #end(server: ServerProcess): Promise<void> {
    const code = await server.stop();
    if (code !== 0) this.#violation(`SIGTERM: exit code ${code}`);
    await this.#look();
  }
}

function inTurn<T>(items: readonly T[], turn: number): T {
  return items[turn % items.length] as T;
}
