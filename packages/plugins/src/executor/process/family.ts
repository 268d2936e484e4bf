// A run's processes, and their end. A program is started as the leader of a session of its own; those of its descendants that
// leave that are found as children of one that is known, or by a variable of the run's that they inherited.

import { setTimeout as delay } from "node:timers/promises";
import { RUN_VARIABLE } from "./process-schema.ts";
import { type SurveyedProcess, sharedSurvey } from "./survey.ts";

/** What a program that is asked to end has for it. */
const GRACE_MS = 200;
/** After that what is left cannot be ended: it waits for a device, or is another user's. */
const GIVEN_UP_MS = 5000;

const ofMachine = sharedSurvey();

export class Family {
  readonly #leader: number;
  readonly #mark: string;
  readonly #take: typeof ofMachine;
  /** By pid: which process had it when it was found to be of the family. */
  readonly #known = new Map<number, number>();
  #leaderExited = false;

  constructor(leader: number, run: string, take = ofMachine) {
    this.#leader = leader;
    this.#mark = markOf(run);
    this.#take = take;
  }

  /** Once it was reaped its pid may be another's. */
  leaderExited(): void {
    this.#leaderExited = true;
  }

  /** Asks all to end, and ends those that do not; at once with no grace. Whether none is left. */
  async end(grace = GRACE_MS): Promise<boolean> {
    const began = performance.now();
    const asked = new Set<number>();
    for (let wait = 5; ; ) {
      // Looked for before anyone is ended: whose parent is gone is nobody's child.
      const members = await this.#members();
      if (members.length === 0) return true;
      const passed = performance.now() - began;
      if (passed > GIVEN_UP_MS) return false;
      const kill = passed >= grace;
      // The kernel does it to all of a group at once: none forks out of it.
      if (members.some(({ group }) => group === this.#leader) && (kill || asked.size === 0)) {
        send(-this.#leader, kill ? "SIGKILL" : "SIGTERM");
      }
      for (const { pid, group } of members) {
        if (kill) send(pid, "SIGKILL");
        else if (!asked.has(pid) && group !== this.#leader) send(pid, "SIGTERM");
        asked.add(pid);
      }
      // What does not end at once will hardly end in the next moment: looking is work.
      if (kill) wait = Math.min(wait * 2, 200);
      await delay(kill ? wait : 20);
    }
  }

  async #members(): Promise<readonly SurveyedProcess[]> {
    const all = await this.#take();
    if (all.length === 0) return this.#groupAlone();
    // The kernel gives a pid to nobody while a session has it: if the leader's is another's now, no member is left.
    const gone = this.#leaderExited && all.some(({ pid }) => pid === this.#leader);
    // A process that is older than this node is of no run of it; most are, and need not be looked into.
    const oldest = all.find(({ pid }) => pid === process.pid)?.started ?? 0;
    const members = new Set<SurveyedProcess>();
    for (const one of all) {
      const grouped = !gone && (one.session === this.#leader || one.group === this.#leader);
      const ours = grouped || this.#known.get(one.pid) === one.started;
      if (ours || (one.started >= oldest && (await isMarked(one, this.#mark)))) members.add(one);
    }
    // Their children, and the children of those.
    for (let before = -1; before !== members.size; ) {
      before = members.size;
      const pids = new Set([...members].map(({ pid }) => pid));
      for (const one of all) if (pids.has(one.parent)) members.add(one);
    }
    for (const { pid, started } of members) this.#known.set(pid, started);
    return [...members];
  }

  /** Without /proc: the group, as long as it has a member. */
  #groupAlone(): readonly SurveyedProcess[] {
    const group = this.#leader;
    if (this.#leaderExited || !isAlive(-group)) return [];
    return [{ pid: group, parent: 0, group, session: group, started: 0, environment: async () => "" }];
  }
}

/** Ends what an earlier life of a node left, which ended without stopping. How many there were. */
export async function endLeftovers(node: string): Promise<number> {
  let ended = 0;
  for (const one of await ofMachine()) {
    if (!(await isMarked(one, markOf(`${node}/`)))) continue;
    if (send(one.pid, "SIGKILL")) ended++;
  }
  return ended;
}

function markOf(run: string): string {
  return `${RUN_VARIABLE}=${run}`;
}

async function isMarked(one: SurveyedProcess, mark: string): Promise<boolean> {
  if (one.pid === process.pid) return false;
  const environment = await one.environment();
  return environment.startsWith(mark) || environment.includes(`\0${mark}`);
}

function send(pid: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // It ended meanwhile, or is another user's.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
