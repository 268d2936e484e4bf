// What the publisher's tests share: a node with an action to publish by, receivers made of functions, and what each was handed.

import { FaultError, fault, type Log, memoryLog, type Principal } from "@capstan/orchestrator";
import { reopened } from "../dead-letter/dead-letter.fixture.ts";
import type { Call } from "../executor/protocol.ts";
import { Clock, echo, type Hub, type HubOptions, type HubScope, protocol, startHub } from "../hub.fixture.ts";
import type { Batch } from "./schema.ts";

type Receives = (call: Call) => unknown;

/** Everything that can happen by now has happened. */
export async function settled(turns = 12): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

export async function startPublisher({ protocols = [], ...options }: HubOptions = {}) {
  const receives = new Map<string, Receives>();
  const handed: Call[] = [];
  /** A receiver of this protocol does what the test says under its name. */
  const code = protocol("code", (call) => {
    handed.push(call);
    return receives.get(call.task.name)?.(call);
  });
  const log = options.log ?? memoryLog();
  const clock = options.clock ?? new Clock();
  const started = await startHub({ ...options, log, clock, protocols: [echo, code, ...protocols] });
  const { app, hub } = started;

  /** An action that publishes what it is given; its outcome comes at once. */
  async function action(name = "greet", said: object = {}): Promise<void> {
    await app.action.register({ name, protocol: "echo", idempotent: true, ...said });
  }

  async function receiver(name: string, receive: Receives = () => undefined, said: object = {}): Promise<void> {
    receives.set(name, receive);
    await app.receiver.register({ name, protocol: "code", ...said });
  }

  async function perform(input: unknown, name = "greet"): Promise<void> {
    await app.action.perform({ name, input });
  }

  async function performAll(from: number, to: number, name = "greet"): Promise<void> {
    for (let i = from; i <= to; i++) await perform(i, name);
  }

  /** A follower that remembers. `answer` is what its callback does. */
  async function follow(data: object, scope = app, answer: (batch: Batch) => unknown = () => undefined) {
    const batches: Batch[] = [];
    const callback = (batch: Batch) => {
      batches.push(batch);
      return answer(batch);
    };
    const followed = await scope.subscription.follow({ ...data, callback } as never);
    return {
      ...followed,
      batches,
      got: () => batches.flatMap(({ publications }) => publications.map((one) => one.data)),
      ended: () => batches.find(({ ended }) => ended !== undefined)?.ended,
    };
  }

  async function letters() {
    return (await app.deadLetter.list()).items as readonly { id: string; about: string; name: string; code: string }[];
  }

  /** What a receiver was handed, in order. */
  const given = (name: string) => handed.filter(({ task }) => task.name === name).map(({ input }) => input);

  async function show(id: string) {
    return (await app.subscription.show({ id })) as {
      readonly state: string;
      readonly lag: number;
      readonly cursor: string;
      readonly why?: { readonly code: string };
      readonly left?: { readonly code: string };
      readonly followed?: boolean;
      readonly failing?: { readonly attempt: number };
    };
  }

  /** The same log under the next process. */
  async function again(more: HubOptions = {}) {
    await hub.stop();
    return startPublisher({ ...options, ...more, clock, log: reopened(log) });
  }

  /** The process is gone, and nothing of it was written down any more. */
  async function killed(kept: Log, more: HubOptions = {}) {
    return startPublisher({ ...options, ...more, clock, log: reopened(kept) });
  }

  return {
    ...started,
    ...{
      log,
      clock,
      receives,
      handed,
      action,
      receiver,
      perform,
      performAll,
      follow,
      letters,
      given,
      show,
      again,
      killed,
    },
  };
}

/** The scope of somebody whose session lasts: callbacks are taken from it. */
export function liveScope(hub: Hub, as: Principal): HubScope {
  const session = hub.lives.session(true);
  return hub.scopeFor({
    call: async (route, data, options) =>
      session.asking(data, route.definition.live, (plain) => hub.hub.submit(route, plain, as, options)),
  });
}

export const away = () => new FaultError(fault("ACTION_FAILED", "away"));
