// A node with one protocol, for the conformance suite: what the protocol is asked is watched, and what the node writes kept.

import {
  createOrchestrator,
  decodeEntry,
  type Log,
  type Logger,
  memoryLog,
  systemTimers,
  type Timers,
} from "@capstan/orchestrator";
import { auth } from "../../auth/auth.ts";
import { deadLetter } from "../../dead-letter/dead-letter.ts";
import { ledger } from "../../ledger/ledger.ts";
import { registry } from "../../registry/registry.ts";
import { executor } from "../executor.ts";
import type { Protocol } from "../protocol.ts";
import type { ConformanceCase } from "./conformance-options.ts";

/** Milliseconds: an action that is given as long is ended `HANGS_MS` after its first run has begun, however long a busy machine takes to begin it. */
export const UNTIL_IT_HANGS_MS = 20 * 60_000;
/** Long enough to be at what it waits for. */
const HANGS_MS = 300;

export async function conformanceNode(protocol: Protocol, log: Log = memoryLog()) {
  const watched = new Watched(protocol);
  const lines: string[] = [];
  const write = (fields: object, text: string) => void lines.push(`${JSON.stringify(fields)} ${text}`);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const hub = await createOrchestrator({
    plugins: [auth(), registry(), deadLetter(), executor({ protocols: [watched.protocol] }), ledger()],
    ...{ log, logger, timers: timersOf(watched) },
  });
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  return {
    ...{ protocol, watched, lines, app },
    scope: (allow: readonly string[]) => hub.scope({ principal: "app", allow }),
    register: (name: string, { configuration }: ConformanceCase, more: { timeout?: number } = {}) =>
      app.action.register({ name, protocol: protocol.name, configuration, ...more }),
    perform: (name: string, { input }: ConformanceCase) =>
      app.action.perform({ name, ...(input === undefined ? {} : { input }) }),
    /** Everything that the log has, as text. */
    async entries(): Promise<string> {
      const texts: string[] = [];
      for (const stored of await hub.reader.entries(1, { limit: 10_000 })) {
        const entry = decodeEntry(stored);
        texts.push(stored.text);
        for (const part of ["b", "f", "r", "t"] as const)
          texts.push(JSON.stringify(await hub.reader.part(entry, part)) ?? "");
      }
      return texts.join("\n");
    },
    [Symbol.asyncDispose]: () => hub.stop({ graceMs: 0 }),
  };
}

function timersOf(watched: Watched): Timers {
  return {
    after(ms, callback) {
      if (Math.abs(ms - UNTIL_IT_HANGS_MS) > 60_000) return systemTimers.after(ms, callback);
      let stop: (() => void) | undefined = () => {};
      void watched.begun().then(() => {
        if (stop !== undefined) stop = systemTimers.after(HANGS_MS, callback);
      });
      return () => {
        stop?.();
        stop = undefined;
      };
    },
  };
}

/** A protocol that remembers its runs. */
class Watched {
  readonly protocol: Protocol;
  readonly runs: Promise<unknown>[] = [];
  configSchema: Protocol["configSchema"];
  readonly #first = Promise.withResolvers<void>();

  constructor(inner: Protocol) {
    this.configSchema = inner.configSchema;
    const schema = () => this.configSchema;
    this.protocol = {
      ...{ name: inner.name, ...(inner.summary === undefined ? {} : { summary: inner.summary }) },
      ...(inner.faults === undefined ? {} : { faults: inner.faults }),
      get configSchema() {
        return schema();
      },
      execute: (call) => {
        this.#first.resolve();
        try {
          const output = inner.execute(call);
          this.runs.push(Promise.resolve(output).catch(() => undefined));
          return output;
        } catch (thrown) {
          this.runs.push(Promise.resolve());
          throw thrown;
        }
      },
      ...optional(inner),
    };
  }

  /** Resolves once a run has begun. */
  begun(): Promise<void> {
    return this.#first.promise;
  }

  /** Resolves once every run has ended by itself, its callers aside. */
  async settled(): Promise<void> {
    await this.begun();
    await Promise.all(this.runs);
  }
}

/** A protocol's optional methods, as far as it has them, with `this` as it is. */
function optional(inner: Protocol): Partial<Protocol> {
  const names = ["validateConfig", "rights", "inspect", "testConnection", "start", "stop"] as const;
  return Object.fromEntries(
    names.flatMap((name) => (inner[name] === undefined ? [] : [[name, (inner[name] as () => unknown).bind(inner)]])),
  );
}
