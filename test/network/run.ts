// The rounds: the network is under load, something happens to it, the tables must come right, it is mended, they must come right again,
// and then all that was asked is held against what the providers wrote down.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { account, emptySums, type Sums } from "./account.ts";
import { chooseFaults, type Fault, KINDS, type Kind } from "./faults.ts";
import { type Asked, Callers } from "./load.ts";
import { buildNetwork, type Network, TIMING, type Withdrawal } from "./network.ts";
import type { Costs, NodeProcess } from "./node-process.ts";
import { solve } from "./oracle.ts";
import { type Site, settle } from "./settle.ts";
import { Starvation } from "./starvation.ts";
import { differences } from "./tables.ts";

export interface RunOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly nodes: number;
  readonly kinds?: readonly Kind[];
  readonly onRound?: (round: Round) => void;
}

export interface Round {
  readonly round: number;
  /** Whoever was gone was back before anybody may notice. */
  readonly unnoticed: boolean;
  readonly faults: readonly string[];
  /** Milliseconds until all tables were right: after the fault, and after it was mended. */
  readonly faultMs: number;
  readonly mendMs: number;
  /** Of those, how long this process had to wait for a processor. */
  readonly starvedMs: number;
  readonly performs: number;
  readonly ambiguous: number;
  readonly withdrawals: number;
  /** Of those, between two that were both started in this round: of what the one had told the other since. */
  readonly withdrawnBetween: number;
  readonly wrong: readonly string[];
}

export interface Report {
  readonly rounds: readonly Round[];
  readonly sums: Sums;
  readonly costs: readonly {
    readonly node: string;
    readonly starts: number;
    readonly first: Costs;
    readonly last: Costs;
  }[];
  /**
   * Of rounds in which a node was back before anybody may notice: how many, and routes withdrawn in them by those that stayed, or to
   * them. `between`: by one that was started to another, of what it had told it since.
   */
  readonly unnoticed: {
    readonly restarts: number;
    readonly stops: number;
    readonly withdrawals: number;
    readonly between: number;
  };
  /** Routes withdrawn in all: the tap is not blind. */
  readonly withdrawals: number;
  readonly seconds: number;
}

/** How long tables may be wrong. */
export const MOST_MS = TIMING.holdTime + 1_000;
/** When it is given up. */
const PATIENCE_MS = 30_000;
/** A node that is up again by then has its sessions back within the time that its routes are kept for: it is dialled each second. */
const BACK_MS = TIMING.restartTime - 2_000;
const CALLERS = 3;
const BEFORE_MS = 400;
const MOST_MEMORY = 6 * 1024 ** 3;

export async function runNetwork(options: RunOptions): Promise<Report> {
  const home = mkdtempSync(join(tmpdir(), "capstan-network-"));
  const nodes: NodeProcess[] = [];
  // Whoever ends this ends them: they are nobody's else.
  const ended = (): void => {
    for (const node of nodes) if (node.pid > 0) process.kill(node.pid, "SIGKILL");
    process.exit(1);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, ended);
  let network: Network | undefined;
  try {
    network = await buildNetwork(home, options.nodes, nodes);
    return await new Run(network, options).run();
  } finally {
    for (const node of nodes) await node.kill();
    for (const { proxy } of network?.links ?? []) await proxy.close();
    if (process.env.KEEP_NETWORK === undefined) rmSync(home, { recursive: true, force: true });
  }
}

class Run {
  readonly #network: Network;
  readonly #options: RunOptions;
  readonly #random: SeededRandom;
  readonly #callers: ReadonlyMap<string, Callers>;
  readonly #sites: readonly Site[];
  readonly #sums = emptySums();
  readonly #starvation = new Starvation();
  #asked = 0;
  #wrong: string[] = [];

  constructor(network: Network, options: RunOptions) {
    this.#network = network;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#callers = new Map(
      network.nodes.map((node) => [
        node.name,
        new Callers(node, new SeededRandom(this.#random.upTo(2 ** 31)), network.actions, () => ++this.#asked),
      ]),
    );
    this.#sites = network.nodes.map((node, i) => ({
      node,
      offers: new Set(network.sites[i]?.offers),
      session: () => (this.#callers.get(node.name) as Callers).session(),
    }));
  }

  async run(): Promise<Report> {
    const startedAt = performance.now();
    const watchdog = setInterval(() => this.#watch(), 2_000);
    try {
      await this.#right([], PATIENCE_MS, "at first");
      const first = this.#network.nodes.map((node) => node.costs());
      const rounds: Round[] = [];
      const unnoticed = { restarts: 0, stops: 0, withdrawals: 0, between: 0 };
      while (rounds.length < this.#options.rounds) {
        const faults = chooseFaults(this.#random, this.#network, rounds.length, this.#options.kinds);
        const round = await this.#round(rounds.length + 1, faults);
        rounds.push(round);
        this.#options.onRound?.(round);
        if (!round.unnoticed) continue;
        for (const { kind } of faults) unnoticed[kind === KINDS[0] ? "restarts" : "stops"]++;
        unnoticed.withdrawals += round.withdrawals - round.withdrawnBetween;
        unnoticed.between += round.withdrawnBetween;
      }
      const costs = this.#network.nodes.map((node, i) => ({
        ...{ node: node.name, starts: node.starts, first: first[i] as Costs, last: node.costs() },
      }));
      const withdrawals = rounds.reduce((sum, one) => sum + one.withdrawals, 0);
      const seconds = (performance.now() - startedAt) / 1000;
      return { rounds, sums: this.#sums, costs, unnoticed, withdrawals, seconds };
    } finally {
      clearInterval(watchdog);
      this.#starvation.stop();
      for (const callers of this.#callers.values()) callers.close();
    }
  }

  async #round(round: number, faults: readonly Fault[]): Promise<Round> {
    this.#wrong = [];
    const { withdrawals } = this.#network;
    withdrawals.length = 0;
    for (const callers of this.#callers.values()) {
      callers.ledger.length = 0;
      callers.begin(CALLERS);
    }
    await Bun.sleep(BEFORE_MS);
    const at = performance.now();
    const starvedAt = this.#starvation.late;
    const backMs = Math.max(...(await Promise.all(faults.map((fault) => fault.inflict()))));
    const unnoticed = faults.every((fault) => fault.unnoticed) && backMs < BACK_MS;
    await this.#right(faults, PATIENCE_MS, "after the fault");
    const faultMs = performance.now() - at;
    const mendAt = performance.now();
    const starvedThen = this.#starvation.late;
    await Promise.all(faults.map((fault) => fault.mend()));
    await this.#right([], PATIENCE_MS, "after the mend");
    const mendMs = performance.now() - mendAt;
    const starvedMs = this.#starvation.late - starvedAt;
    const starvedLast = this.#starvation.late - starvedThen;
    await this.#ended();
    const ledgers = (): Asked[] => [...this.#callers.values()].flatMap((callers) => callers.ledger);
    const told = () =>
      ledgers().flatMap(({ node, came }) => (came?.kind === "ambiguous" ? [{ node, execution: came.execution }] : []));
    const { settled, open } = await settle(this.#sites, told);
    this.#wrong.push(...open);
    const ledger = ledgers();
    const before = this.#sums.ambiguous;
    this.#wrong.push(...account(ledger, this.#runs(), settled, this.#sums));
    if (faultMs - (starvedThen - starvedAt) > MOST_MS)
      this.#wrong.push(`SLOW right ${Math.round(faultMs)} ms after the fault`);
    if (mendMs - starvedLast > MOST_MS) this.#wrong.push(`SLOW right ${Math.round(mendMs)} ms after the mend`);
    // Two that started anew had nothing of each other that a start could take: what they withdraw of what they have told since is
    // what any two do that meet, where the better way turns out to be the other's.
    const started = faults.filter(({ kind }) => kind === KINDS[0]).flatMap(({ where }) => where);
    const between = withdrawals.filter(({ by, to }) => started.includes(by) && started.includes(to));
    if (unnoticed)
      for (const { by, to, routes, at: when } of withdrawals.filter((one) => !between.includes(one)))
        this.#wrong.push(`WITHDRAWN by ${by} to ${to}, ${Math.round(when - at)} ms after: ${routes.join(" ")}`);
    const performs = ledger.length;
    const texts = faults.map(({ text }) => text);
    const ambiguous = this.#sums.ambiguous - before;
    return {
      round,
      unnoticed,
      faults: texts,
      faultMs,
      mendMs,
      starvedMs,
      performs,
      ambiguous,
      withdrawals: routesOf(withdrawals),
      withdrawnBetween: routesOf(between),
      wrong: this.#wrong,
    };
  }

  /** Resolves once the tables of all that are up are as the oracle has them. */
  async #right(faults: readonly Fault[], patience: number, when: string): Promise<void> {
    const { sites, links } = this.#network;
    const down = new Set(faults.flatMap((fault) => fault.down ?? []));
    const broken = new Set(faults.flatMap((fault) => fault.broken?.join() ?? []));
    const up = sites.filter(({ name }) => !down.has(name));
    const tables = solve(
      up,
      links.flatMap(({ ends }) => (broken.has(ends.join()) || ends.some((end) => down.has(end)) ? [] : [ends])),
    );
    const over = performance.now() + patience;
    // By turns: what is wrong at one node need not be looked for at all.
    const left = new Set(up.map(({ name }) => name));
    let last: string[] = [];
    for (let thorough = false; ; await Bun.sleep(40)) {
      for (const name of [...left]) {
        const { scope } = await (this.#callers.get(name) as Callers).session();
        const wrong = await differences(scope, tables.get(name) as never, thorough).catch((thrown) => [String(thrown)]);
        last = wrong.map((text) => `${name} ${text}`);
        if (wrong.length > 0) break;
        left.delete(name);
      }
      if (left.size > 0) {
        if (performance.now() > over) {
          this.#wrong.push(...last.map((text) => `TABLE ${when}: ${text}`));
          return;
        }
        continue;
      }
      if (thorough) return;
      thorough = true;
      for (const { name } of up) left.add(name);
    }
  }

  /** All that was asked has ended. What has not by then never will. */
  async #ended(): Promise<void> {
    const all = Promise.all([...this.#callers.values()].map((callers) => callers.end()));
    await Promise.race([all, Bun.sleep(PATIENCE_MS)]);
  }

  /** How often each request ran, at all providers together. */
  #runs(): ReadonlyMap<number, number> {
    const runs = new Map<number, number>();
    for (const { runsFile } of this.#network.nodes) {
      if (!existsSync(runsFile)) continue;
      for (const line of readFileSync(runsFile, "utf8").split("\n")) {
        const n = Number.parseInt(line, 10);
        if (!Number.isNaN(n)) runs.set(n, (runs.get(n) ?? 0) + 1);
      }
    }
    return runs;
  }

  #watch(): void {
    let memory = process.memoryUsage.rss();
    for (const node of this.#network.nodes) {
      try {
        memory += node.costs().memory || 0;
      } catch {
        // It is dead just now.
      }
    }
    if (memory < MOST_MEMORY) return;
    process.stderr.write(`network: ${Math.round(memory / 1024 ** 2)} MiB in all; given up\n`);
    for (const node of this.#network.nodes) process.kill(node.pid, "SIGKILL");
    process.exit(1);
  }
}

function routesOf(withdrawals: readonly Withdrawal[]): number {
  return withdrawals.reduce((sum, { routes }) => sum + routes.length, 0);
}
