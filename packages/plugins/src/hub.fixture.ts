// What the plugins' tests share: an orchestrator with a clock of the test's own, protocols made of a function, and scopes
// under a grant. Nothing in it waits for real time.

import {
  type AnyPlugin,
  type CallOptions,
  type ConnectionSession,
  createOrchestrator,
  FaultError,
  type Log,
  type Principal,
  type Scope,
  type Signer,
  type Timers,
} from "@capstan/orchestrator";
import { z } from "zod";
import { auth } from "./auth/auth.ts";
import { deadLetter } from "./dead-letter/dead-letter.ts";
import { executor } from "./executor/executor.ts";
import { module } from "./executor/module/module.ts";
import type { Protocol } from "./executor/protocol.ts";
import type { ProtocolsOptions } from "./executor/task/create-protocols.ts";
import { ledger } from "./ledger/ledger.ts";
import { type PublisherOptions, publisher } from "./publisher/publisher.ts";
import { registry } from "./registry/registry.ts";

/** What a request that is no session is verified in. */
export const NO_SESSION: ConnectionSession = {
  ...{ id: "session-none", lasting: false, kept: undefined },
  onEnd: () => () => {},
  end() {},
};

/** 2026-03-01, a Sunday, 12:00 UTC. */
export const NOON = Date.UTC(2026, 2, 1, 12);

/** Time that passes when the test says so. */
export class Clock implements Timers {
  #now = NOON;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  readonly now = (): number => this.#now;

  /** Timers that are set and neither stopped nor over. */
  get set(): number {
    return this.#timers.length;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = until;
  }
}

/** A protocol without a configuration. */
export function protocol(name: string, execute: Protocol["execute"]): Protocol {
  return { name, configSchema: z.strictObject({}), execute };
}

export const echo = protocol("echo", ({ input }) => input);

export interface HubOptions {
  readonly protocols?: readonly Protocol[];
  /** Where action modules lie, and where their bundles are kept. */
  readonly modules?: string;
  readonly directory?: string;
  readonly log?: Log;
  readonly clock?: Clock;
  /** The node's key; default: one that nobody knows. */
  readonly signer?: Signer;
  readonly deliveries?: PublisherOptions;
  readonly executor?: ProtocolsOptions;
  readonly id?: string;
  /** Plugins after the publisher. */
  readonly also?: readonly AnyPlugin[];
}

export async function startHub(options: HubOptions = {}) {
  const {
    protocols = [echo],
    modules,
    directory,
    log,
    clock = new Clock(),
    signer,
    deliveries,
    executor: more,
    id = "n-test",
    also = [],
  } = options;
  const modular = modules === undefined ? [] : [module({ directories: [modules], cache: `${modules}/.bundles` })];
  const hub = await createOrchestrator({
    plugins: [
      auth(),
      registry(),
      deadLetter(),
      executor({ protocols: [...protocols, ...modular], ...more }),
      publisher(deliveries),
      // No messages of theirs are in anybody's scope.
      ...(also as readonly []),
      ledger(),
    ],
    node: { id, name: "test", directory },
    now: clock.now,
    timers: clock,
    ...(log === undefined ? {} : { log }),
    ...(signer === undefined ? {} : { signer }),
  });
  return { hub, clock, app: await hub.scope({ principal: "app", allow: ["*"] }) };
}

export type Hub = Awaited<ReturnType<typeof startHub>>["hub"];
export type HubScope = Hub extends { scopeFor(caller: never): infer Made } ? Made : Scope<never>;

/** The scope of a principal and a grant, as a door hands it out. */
export function scopeOf(hub: Hub, as: Principal): HubScope {
  return hub.scopeFor({
    async call(route, data, options) {
      return hub.hub.submit(route, data, as, options);
    },
  });
}

type GrantOptions = Parameters<HubScope["grant"]["create"]>[0];

/** A scope under a new grant, made by the node itself. */
export async function granted(
  hub: Hub,
  grant: GrantOptions,
): Promise<{ readonly id: string; readonly scope: HubScope }> {
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  const made = await app.grant.create(grant);
  return { id: made.grant, scope: scopeOf(hub, made) };
}

/** `message.attach`: the kernel's own messages are in no plugin's table, and so in no scope's type. */
export function attach(scope: HubScope, data: { readonly id: string }, options?: CallOptions): Promise<unknown> {
  return scope.applyAction({ resource: "message", action: "attach", data }, options);
}

/** The fault that a call ends with. */
export async function faultFrom(call: Promise<unknown> | (() => Promise<unknown>)): Promise<FaultError> {
  const outcome = await (typeof call === "function" ? call() : call).then(
    (value) => new Error(`it went through: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof FaultError) return outcome;
  throw outcome;
}
