// Trials: a disk fails under a node that serves, and works again; now and then the node is killed or the power cut, and what
// the disk has is held to what was said. This file owns the order of things; what a disk can do is in kinds.ts.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Evidence } from "../chaos/evidence.ts";
import { Load, registerActions } from "../chaos/load.ts";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { type ServerOptions, type ServerProcess, startServer } from "../chaos/server-process.ts";
import { verifyAsked, verifySettled } from "../chaos/verify.ts";
import { Episode, type Trial } from "./episode.ts";
import { KINDS, type Kind } from "./kinds.ts";
import { type Ending, type Medium, openMedium } from "./medium.ts";

export interface TrialsOptions {
  readonly trials: number;
  readonly seed: number;
  readonly clients: number;
  readonly kinds?: readonly Kind[];
  /** `early`: a build that acknowledges before it has flushed. `lie`: a disk that calls flushed what it has not. */
  readonly control?: "early" | "lie";
  /** Within so many milliseconds a node whose disk works again acknowledges something. Default: 2000, on a machine that does nothing else. */
  readonly mostRecoveryMs?: number;
  readonly onTrial?: (trial: Trial) => void;
  readonly onRound?: (round: Round) => void;
}

export interface Round {
  readonly trials: readonly Trial[];
  readonly ending: Ending;
  readonly duringFault: boolean;
  /** Told that nothing was done, and not asked again. */
  readonly gaveUp: number;
  /** Of these: recorded all the same, because the node died before it could undo them on the disk. */
  readonly returned: number;
  readonly entries: number;
  readonly violations: readonly string[];
}

const LOST = "acknowledged, and lost";
const UNREADABLE = "what is left cannot be read";
/** Trials in one life of a node, at most. */
const TRIALS_A_LIFE = 12;
/** A trial leaves about a megabyte in the log. */
const TRIALS_A_SMALL_DISK = 24;
/** Acknowledged by the process that follows one whose disk failed, before the power is cut. */
const AFTER_RESTART = 50;
/** What has not happened by then does not happen. */
const MOST_WAIT_MS = 30_000;
/** The same of a build or a disk that is wrong on purpose, and may never go on. */
const MOST_WAIT_CONTROL_MS = 2_000;
/** Clients ask every few milliseconds. */
const MOST_RECOVERY_MS = 2_000;
/** How many of the lives that end while the disk fails. */
const WHILE_DOWN = 0.3;
/** How many refusals a client takes for an answer. */
const GIVES_UP = 0.02;
/** What is asked for: mostly small, some as large as several pages of the log, a few so large that they are kept beside their entry. */
const length = (random: SeededRandom): number => (random.next() < 0.05 ? random.upTo(90_000) : random.upTo(300));

/** How many of a round's violations say that something acknowledged is gone. */
export function lostIn({ violations }: Round): number {
  return violations.filter((text) => text.includes(LOST) || text.includes(UNREADABLE)).length;
}

export async function runTrials(options: TrialsOptions): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  const random = new SeededRandom(options.seed);
  for (const { kinds, trials } of worldsOf(options)) {
    const world = await World.open(kinds, random, options);
    try {
      for (let left = trials; left > 0; ) {
        const round = await world.round(Math.min(left, random.upTo(TRIALS_A_LIFE)));
        left -= round.trials.length;
        rounds.push(round);
        options.onRound?.(round);
        if (options.control !== undefined && lostIn(round) > 0) return rounds;
        if (round.violations.some((text) => text.includes(UNREADABLE))) return rounds;
      }
    } finally {
      await world.close();
    }
  }
  return rounds;
}

/** A world for each kind of disk, with a log that lives as long as it; on the small disk several, for a log fills that by itself. */
function worldsOf({
  kinds = KINDS,
  trials,
}: TrialsOptions): { readonly kinds: readonly Kind[]; readonly trials: number }[] {
  const [full, ruled] = [kinds.filter(({ full }) => full), kinds.filter(({ full }) => !full)];
  let left = Math.round((trials * full.length) / kinds.length);
  const worlds = ruled.length === 0 ? [] : [{ kinds: ruled, trials: trials - left }];
  for (; left > 0; left -= TRIALS_A_SMALL_DISK) {
    worlds.push({ kinds: full, trials: Math.min(left, TRIALS_A_SMALL_DISK) });
  }
  return worlds;
}

class World {
  readonly #options: TrialsOptions;
  readonly #kinds: readonly Kind[];
  readonly #random: SeededRandom;
  readonly #directory: string;
  readonly #outside: string;
  readonly #medium: Medium;
  readonly #load: Load;
  readonly #evidence: Evidence;
  #violations: string[] = [];
  #refused: () => void = () => {};
  #server: ServerProcess | undefined;
  #settling = false;
  #trial = 0;
  /** Keys of which a client was told that nothing was done, since the log was last written after that. */
  #unsure = new Set<string>();
  #checked = new Set<string>();

  static async open(kinds: readonly Kind[], random: SeededRandom, options: TrialsOptions): Promise<World> {
    const directory = mkdtempSync(join(tmpdir(), "capstan-faults-"));
    const medium = await openMedium(directory, kinds[0]?.full === true, random, options.control === "lie");
    const world = new World(directory, medium, kinds, random, options);
    world.#server = await startServer(medium.plain, world.#sound);
    await registerActions(world.#server);
    await world.#die();
    return world;
  }

  private constructor(
    directory: string,
    medium: Medium,
    kinds: readonly Kind[],
    random: SeededRandom,
    options: TrialsOptions,
  ) {
    this.#directory = directory;
    this.#medium = medium;
    this.#kinds = kinds;
    this.#random = random;
    this.#options = options;
    this.#outside = join(directory, "outside");
    mkdirSync(this.#outside);
    this.#evidence = new Evidence(medium.plain, this.#violation, this.#outside);
    const unavailable = async ({ key }: { readonly key: string }, alone: boolean): Promise<boolean> => {
      this.#refused();
      if (this.#settling) {
        this.#violation(`${key}: refused on a disk that works`);
        return false;
      }
      if (alone && this.#random.next() < GIVES_UP) {
        this.#unsure.add(key);
        return false;
      }
      await Bun.sleep(this.#random.upTo(10));
      return true;
    };
    this.#load = new Load(options.clients, random, this.#violation, { unavailable, length });
  }

  readonly #violation = (text: string): void => void this.#violations.push(text);

  get #mostWaitMs(): number {
    return this.#options.control === undefined ? MOST_WAIT_MS : MOST_WAIT_CONTROL_MS;
  }

  /** The build that is not wrong on purpose. */
  get #sound(): ServerOptions {
    return { outside: this.#outside, errors: join(this.#directory, "errors") };
  }

  get #build(): ServerOptions {
    return { ...this.#sound, early: this.#options.control === "early" };
  }

  /** One life of a node on the failing disk, its end, and what is left of it. */
  async round(trials: number): Promise<Round> {
    this.#violations = [];
    const ending = this.#random.pick(this.#medium.endings);
    let lived: Pick<Round, "trials" | "duringFault"> = { trials: [], duringFault: false };
    try {
      lived = await this.#live(trials);
      await this.#end(ending);
      await this.#look(lived.duringFault);
      await this.#settle();
    } catch (thrown) {
      this.#violation(`${UNREADABLE}: ${thrown}`);
    }
    const gaveUp = this.#unsure.size;
    const returned = [...this.#unsure].filter((key) => this.#evidence.performs.has(key)).length;
    this.#unsure.clear();
    const entries = this.#evidence.head;
    return { ...lived, ending, gaveUp, returned, entries, violations: this.#violations };
  }

  /** On the plain directory whatever is open is asked again, and comes to an end. */
  async #settle(): Promise<void> {
    this.#server = await startServer(this.#medium.plain, this.#sound);
    this.#settling = true;
    await this.#load.settle(this.#server);
    this.#settling = false;
    verifySettled(this.#load.ledgers(), this.#violation);
    await this.#die();
  }

  async #live(most: number): Promise<Pick<Round, "trials" | "duringFault">> {
    const { path } = await this.#medium.mount();
    this.#server = await startServer(path, this.#build);
    const working = this.#load.work(this.#server);
    const control = this.#options.control !== undefined;
    const { mostRecoveryMs = MOST_RECOVERY_MS } = this.#options;
    const limits = { mostWaitMs: this.#mostWaitMs, mostRecoveryMs };
    const episode = new Episode(this.#server, this.#medium, this.#load, this.#random, this.#violation, limits);
    this.#refused = () => episode.refused();
    const trials: Trial[] = [];
    let duringFault = false;
    while (trials.length < most && !duringFault && !episode.dead && !(control && this.#violations.length > 0)) {
      duringFault = trials.length === most - 1 && this.#random.next() < WHILE_DOWN;
      const kind = this.#kinds[this.#trial++ % this.#kinds.length] as Kind;
      const trial = await episode.run(kind, duringFault);
      trials.push(trial);
      this.#options.onTrial?.(trial);
    }
    episode.close();
    await this.#die();
    await working;
    await this.#medium.off();
    return { trials, duringFault };
  }

  async #end(ending: Ending): Promise<void> {
    if (ending === "restart, then power cut") {
      // What a failed flush left in the cache is all that the next process sees, and nobody flushes it again.
      this.#server = await startServer(this.#medium.path, this.#build);
      const working = this.#load.work(this.#server);
      await this.#acknowledged(AFTER_RESTART);
      await this.#die();
      await working;
    }
    await this.#medium.unmount(ending);
  }

  async #acknowledged(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    let left = count;
    this.#load.onAcknowledged = () => {
      if (--left === 0) resolve();
    };
    const late = setTimeout(() => {
      this.#violation(`no ${count} acknowledgements after a restart in ${this.#mostWaitMs} ms`);
      resolve();
    }, this.#mostWaitMs);
    await Promise.race([promise, this.#server?.exited]);
    clearTimeout(late);
  }

  async #look(duringFault: boolean): Promise<void> {
    await this.#evidence.read();
    verifyAsked(this.#load.ledgers(), this.#evidence, this.#violation);
    for (const { key, gaveUp } of this.#load.ledgers()) {
      if (!gaveUp || this.#checked.has(key) || (duringFault && this.#unsure.has(key))) continue;
      this.#checked.add(key);
      if (this.#evidence.performs.has(key)) this.#violation(`${key}: told that nothing was done, and it was`);
    }
  }

  async #die(): Promise<void> {
    this.#server?.kill();
    const ended = await this.#server?.exited;
    if (this.#server !== undefined && ended?.signal !== "SIGKILL")
      this.#violation(`the node ended by itself (${ended?.signal})`);
    this.#server = undefined;
  }

  async close(): Promise<void> {
    this.#server?.kill();
    await this.#server?.exited;
    await this.#medium.close();
    rmSync(this.#directory, { recursive: true });
  }
}
