// What the tests of dead letters share: an action that fails as often as the test says, and nodes that die and come back.

import { decodeEntry, type Log, memoryLog } from "@capstan/orchestrator";
import { type Clock, faultFrom, type HubOptions, protocol, startHub } from "../hub.fixture.ts";

export interface Listed {
  readonly id: string;
  readonly about: string;
  readonly name: string;
  readonly state: string;
}

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Turns of the loop until `holds`: what is decided becomes durable in one of them. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    if (turns > 100_000) throw new Error("it never holds");
    await turn();
  }
}

/** What the call comes to, with the clock going on for as long as it takes. */
export async function passing<T>(clock: Clock, call: Promise<T>): Promise<T> {
  let over = false;
  const ended = call.finally(() => {
    over = true;
  });
  ended.catch(() => {});
  await until(() => {
    clock.advance(1);
    return over;
  });
  return ended;
}

interface WorkOptions extends Omit<HubOptions, "protocols"> {
  /** Its work goes well from the start. */
  readonly well?: boolean;
}

/** A node with actions of `work`, a protocol that throws until the test says otherwise. */
export async function startWork({ well = false, ...options }: WorkOptions = {}) {
  const work = {
    runs: 0,
    fails: (): unknown => (well ? undefined : new Error("no")),
    gives: (): unknown => "done",
  };
  const working = protocol("work", () => {
    work.runs++;
    const thrown = work.fails();
    if (thrown !== undefined) throw thrown;
    return work.gives();
  });
  const log = options.log ?? memoryLog();
  const started = await startHub({ ...options, log, protocols: [working] });
  const { app, clock } = started;

  /** Registers an action that is tried twice; anything else as said. */
  async function register(name: string, said: object = {}): Promise<void> {
    await app.action.register({ name, protocol: "work", idempotent: true, attempts: 2, backoff: 1, ...said });
  }

  /** Performs until it is spent. Answers its execution, and its message. */
  async function spend(name: string, input?: unknown) {
    const fault = await passing(clock, faultFrom(app.action.perform({ name, input })));
    const id = fault.id as string;
    return { fault, id, execution: id.replace("m-", "x-") };
  }

  async function letters(filter: object = {}): Promise<readonly Listed[]> {
    return (await app.deadLetter.list(filter)).items as readonly Listed[];
  }

  /** The one letter that is open. */
  async function letter(): Promise<Listed> {
    const [one, ...others] = await letters();
    if (one === undefined || others.length > 0) throw new Error(`${others.length + 1} letters`);
    return one;
  }

  /** `message principal` of each entry, from `from` on. */
  async function history(from = 1): Promise<string[]> {
    const entries = await started.hub.reader.entries(from);
    return entries.map(decodeEntry).map(({ header }) => `${header.message} ${header.verdict}`);
  }

  return { ...started, log, work, register, spend, letters, letter, history };
}

/** The same log as the next process opens it. */
export function reopened(log: Log): Log {
  return altered(log, { epoch: log.epoch + 1 });
}

/** A log that keeps nothing from the entry after the one that `last` says on: its process is killed there. */
export function dyingAfter(log: Log, last: (message: string) => boolean): Log {
  let dead = false;
  return altered(log, {
    append(expectedHead, entries) {
      if (dead) return new Promise(() => {});
      const at = entries.findIndex(({ text }) => last(headerOf(text)));
      if (at < 0) return log.append(expectedHead, entries);
      dead = true;
      void log.append(expectedHead, entries.slice(0, at + 1));
      return new Promise(() => {});
    },
  });
}

/** A log whose disk is full the first time that it is to keep this message; `failed` says that it was. */
export function failingOnce(log: Log, message: string) {
  const disk = { failed: false };
  const failing = altered(log, {
    append(expectedHead, entries) {
      if (!disk.failed && entries.some(({ text }) => headerOf(text) === message)) {
        disk.failed = true;
        throw new Error("ENOSPC");
      }
      return log.append(expectedHead, entries);
    },
  });
  return { log: failing, disk };
}

/** A log of whose entries of this message the body was erased. */
export function withoutBody(log: Log, message: string): Log {
  return altered(log, {
    async read(from, options) {
      const entries = await log.read(from, options);
      return entries.map((entry) =>
        headerOf(entry.text) === message ? { ...entry, text: entry.text.replace(/\n[bB].*/, "") } : entry,
      );
    },
  });
}

function headerOf(text: string): string {
  return decodeEntry({ seq: 0, at: 0, text } as Parameters<typeof decodeEntry>[0]).header.message;
}

export function altered(log: Log, changes: Partial<Log>): Log {
  return new Proxy(log, {
    get(target, name) {
      if (name in changes) return changes[name as keyof Log];
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
