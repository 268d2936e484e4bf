// A node that is told of ways to actions elsewhere by the test, which also says what becomes of a performing there.

import { createOrchestrator, definePlugin, type Log, type PluginRuntime } from "@capstan/orchestrator";
import { auth } from "../../auth/auth.ts";
import { deadLetter } from "../../dead-letter/dead-letter.ts";
import { Clock, echo } from "../../hub.fixture.ts";
import { ledger } from "../../ledger/ledger.ts";
import { publisher } from "../../publisher/publisher.ts";
import { type Carried, type CarriedCall, type Carrier, elsewhere } from "../../registry/elsewhere.ts";
import { registry } from "../../registry/registry.ts";
import { executor } from "../executor.ts";
import type { Protocol } from "../protocol.ts";

export interface WayOptions {
  readonly node?: string;
  readonly digest?: string;
  readonly timeout?: number;
  readonly origin?: string;
  readonly repeatable?: "idempotent" | "read-only";
}

interface Options {
  readonly carrier?: Partial<Carrier>;
  readonly protocols?: readonly Protocol[];
  readonly log?: Log;
  readonly clock?: Clock;
  readonly id?: string;
}

export async function startWithWays({ carrier, protocols = [echo], log, clock = new Clock(), id = "n-a" }: Options) {
  let runtime: PluginRuntime | undefined;
  const ways = definePlugin({
    name: "ways",
    needs: [elsewhere],
    run(given) {
      runtime = given;
      if (carrier !== undefined) given.given(elsewhere).carriers.set("ways", { ...NOWHERE, ...carrier });
    },
    decide: () => ({ kind: "next" }),
  });
  const hub = await createOrchestrator({
    plugins: [auth(), registry(), deadLetter(), executor({ protocols }), publisher(), ways, ledger()],
    node: { id, name: "a", directory: undefined },
    now: clock.now,
    timers: clock,
    ...(log === undefined ? {} : { log }),
  });
  const note = (changes: readonly { name: string; way: object | null }[], by = "ways") =>
    (runtime as PluginRuntime).note({ resource: "action", action: "reach", data: { by, changes } });
  return {
    hub,
    clock,
    app: await hub.scope({ principal: "app", allow: ["*"] }),
    runtime: runtime as unknown as PluginRuntime,
    note,
    /** There is a way to an action by the neighbour `berlin`. */
    learn: (name: string, { node = "n-b", digest = "d", origin = "n-b", timeout, repeatable }: WayOptions = {}) =>
      note([
        {
          name,
          way: {
            ...{ peer: "berlin", node, path: ["n-b"], origin, digest },
            ...{ ...(timeout && { timeout }), ...(repeatable && { repeatable }) },
          },
        },
      ]),
    forget: (name: string) => note([{ name, way: null }]),
  };
}

const NOWHERE: Carrier = {
  perform: () => Promise.reject(new Error("not to be performed")),
  describe: () => Promise.reject(new Error("not to be described")),
};

/** Keeps what it was asked, and answers what the test says. */
export function recording(answer: (call: CarriedCall, nth: number) => Carried | Promise<Carried>) {
  const calls: CarriedCall[] = [];
  let told = (): void => {};
  return {
    calls,
    /** Resolves once it was asked so often. */
    async asked(times: number): Promise<void> {
      while (calls.length < times) {
        await new Promise<void>((resolve) => {
          told = resolve;
        });
      }
    },
    perform: async (call: CarriedCall) => {
      calls.push(call);
      told();
      return answer(call, calls.length);
    },
  };
}
