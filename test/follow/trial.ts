// A subscription across two hops while nodes are killed (issue 6, "Must show" 5): what `c` acknowledged that it published is at `a` once
// and in order, as whoever reads the subscription is handed it, and as the log of `a` has it. Its receiver is handed all of it.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "../chaos/seeded-random.ts";
import type { NodeProcess } from "../network/node-process.ts";
import { accountOf } from "./account.ts";
import { Reader } from "./reader.ts";
import { Restless } from "./restless.ts";
import { ACTION, RECEIVER, type SiteName, type Sites, startSites, TOPIC } from "./sites.ts";

export interface TrialOptions {
  readonly kills: number;
  readonly seed: number;
  /** Callers that publish at once, and what each pauses between two, in milliseconds. */
  readonly callers?: number;
  readonly pause?: number;
  readonly say?: (line: string) => void;
}

export interface Report {
  readonly seed: number;
  readonly kills: Readonly<Record<SiteName, number>>;
  readonly seconds: number;
  readonly published: number;
  /** Publishings that were asked again, because nobody had said what became of them. */
  readonly askedAgain: number;
  readonly read: number;
  readonly received: number;
  /** Handed to the receiver once more: at least once is what it is promised. */
  readonly receivedAgain: number;
  /** Neighbours that led there while a node was down. */
  readonly ways: Readonly<Record<string, number>>;
  readonly missed: number;
  readonly longestSilenceMs: number;
  readonly wrong: readonly string[];
}

const LONGEST_MS = 60_000;
const LOOK_MS = 20;
const PAGE = 256;

export async function runTrial(options: TrialOptions): Promise<Report> {
  const home = mkdtempSync(join(tmpdir(), "capstan-follow-"));
  const started: NodeProcess[] = [];
  try {
    return await new Trial(await startSites(home, started), options).run();
  } finally {
    await Promise.all(started.map((site) => site.kill()));
    rmSync(home, { recursive: true, force: true });
  }
}

class Trial {
  readonly #sites: Sites;
  readonly #options: Required<TrialOptions>;
  readonly #random: SeededRandom;
  readonly #kills: Record<SiteName, number> = { a: 0, b: 0, c: 0, d: 0 };
  readonly #ways: Record<string, number> = {};
  readonly #acknowledged = new Set<number>();
  #asked = 0;
  #over = false;

  constructor(sites: Sites, options: TrialOptions) {
    this.#sites = sites;
    this.#options = { callers: 4, pause: 10, say: () => {}, ...options };
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<Report> {
    const { a, c } = this.#sites;
    const [near, far] = [new Restless(a), new Restless(c)];
    await this.#ready(near);
    const { id } = await near.ask((scope) => scope.subscription.create({ topic: TOPIC, name: "read" }));
    await near.ask((scope) => scope.subscription.create({ topic: TOPIC, receiver: RECEIVER }));
    await this.#until("it is imported", async () => (await this.#elsewhere(near, id))?.cursor !== undefined);
    const startedAt = performance.now();
    const reader = new Reader(a, id);
    const reading = reader.run();
    const publishing = Promise.all(Array.from({ length: this.#options.callers }, () => this.#publish(far)));
    await this.#killing(near, id);
    this.#over = true;
    await publishing;
    const published = await this.#all(far);
    const arrived = async () => reader.book.length >= published.length && this.#received().size >= published.length;
    // What has not arrived by then the account tells.
    await this.#until("all arrived", arrived).catch(() => {});
    reader.stop();
    await reading;
    const missed = (await this.#elsewhere(near, id))?.missed?.times ?? 0;
    const received = this.#received();
    const wrong = accountOf({
      ...{ published, acknowledged: this.#acknowledged, read: reader.book, imported: await this.#all(near), received },
      missed,
    });
    const handed = [...received.values()];
    reader.close();
    near.close();
    far.close();
    return {
      ...{ seed: this.#options.seed, kills: this.#kills, seconds: (performance.now() - startedAt) / 1000 },
      ...{ published: published.length, askedAgain: far.again, read: reader.book.length, received: handed.length },
      ...{ receivedAgain: handed.reduce((sum, times) => sum + times - 1, 0), ways: this.#ways, missed },
      ...{ longestSilenceMs: Math.round(reader.longest), wrong },
    };
  }

  /** Both ways lead there. */
  async #ready(near: Restless): Promise<void> {
    await this.#until("both ways are known", async () => {
      const { paths } = await near.ask((scope) => scope.route.show({ route: `topic:${TOPIC}` }));
      return paths.length === 2;
    });
  }

  async #publish(far: Restless): Promise<void> {
    while (!this.#over) {
      const n = ++this.#asked;
      // Asked again under the same key it is published once.
      const options = { key: `publish ${n}` };
      const output = { n, before: 0, after: 0 };
      await far.ask((scope) => scope.action.publish({ name: ACTION, output }, options));
      this.#acknowledged.add(n);
      await Bun.sleep(this.#options.pause);
    }
  }

  async #killing(near: Restless, id: string): Promise<void> {
    const names = Object.keys(this.#sites) as SiteName[];
    for (let kill = 0; kill < this.#options.kills; kill++) {
      const enough = this.#acknowledged.size + this.#random.upTo(20);
      await this.#until("more is published", async () => this.#acknowledged.size >= enough);
      const victim = this.#random.pick(names);
      this.#kills[victim]++;
      await this.#sites[victim].kill();
      await Bun.sleep(100 + this.#random.upTo(300));
      if (victim !== "a") await this.#noteWay(near, id);
      await this.#sites[victim].start();
      // Sometimes the next comes before the sessions are there again.
      await Bun.sleep(this.#random.upTo(700));
      this.#options.say(`kill ${kill + 1}: ${victim}; ${this.#acknowledged.size} published`);
    }
  }

  async #noteWay(near: Restless, id: string): Promise<void> {
    const { state, via = "nobody" } = (await this.#elsewhere(near, id)) ?? { state: "waiting" };
    if (state === "waiting") return;
    this.#ways[via] = (this.#ways[via] ?? 0) + 1;
  }

  async #elsewhere(near: Restless, id: string) {
    const shown = (await near.ask((scope) => scope.subscription.show({ id }))) as {
      readonly elsewhere?: readonly {
        readonly state: string;
        readonly via?: string;
        readonly cursor?: string;
        readonly missed?: { readonly times: number };
      }[];
    };
    return shown.elsewhere?.[0];
  }

  /** All of the topic that a node's log has, in its order. */
  async #all(node: Restless): Promise<number[]> {
    const found: number[] = [];
    for (let after = "start"; ; ) {
      const asked = { topic: TOPIC, after, limit: PAGE };
      const page = (await node.ask((scope) => scope.subscription.read(asked))) as {
        readonly items: readonly { readonly data: { readonly n: number } }[];
        readonly next: string;
        readonly head: string;
      };
      found.push(...page.items.map(({ data }) => data.n));
      if (page.items.length === 0 && page.next === page.head) return found;
      after = page.next;
    }
  }

  /** What the receiver wrote down: how often each. */
  #received(): ReadonlyMap<number, number> {
    const found = new Map<number, number>();
    for (const line of readFileSync(this.#sites.a.runsFile, "utf8").split("\n")) {
      const n = Number.parseInt(line, 10);
      if (Number.isInteger(n)) found.set(n, (found.get(n) ?? 0) + 1);
    }
    return found;
  }

  async #until(what: string, is: () => Promise<boolean>): Promise<void> {
    const over = performance.now() + LONGEST_MS;
    while (!(await is())) {
      if (performance.now() > over) throw new Error(`${what}: not so after ${LONGEST_MS} ms`);
      await Bun.sleep(LOOK_MS);
    }
  }
}
