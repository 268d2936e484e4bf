// A plugin for tests: jobs that are owed. Each is carried out by the function that the test gives.

import type { Message } from "../message/message.ts";
import type { AnyPlugin, EffectRuntime, LostEffect, OwedEffect } from "../plugin/plugin.ts";
import { type Effect, next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { plugin, records, takes } from "./start.fixture.ts";

export const jobTable = table<string>("job");

export type Work = (effect: OwedEffect, runtime: EffectRuntime) => unknown;

/** `job.run` owes `effect`; what `work` answers settles it, as `job.done`; `job.cancel { id }` and `job.lost` end it too. */
export function jobs(work: Work, effect: Partial<Effect> = {}): AnyPlugin {
  const says = (verb: string, { owing }: LostEffect, text = ""): Message => ({
    resource: "job",
    action: verb,
    data: { id: owing, text },
  });
  return plugin("jobs", {
    needs: [authority],
    tables: [jobTable],
    messages: {
      job: {
        run: takes(),
        cancel: takes("id"),
        ...{ done: records("id", "text"), failed: records("id", "text"), lost: records("id", "text") },
      },
    },
    decide({ message, envelope, state }) {
      if (message.resource !== "job") return next();
      const { id, text } = message.data as { id: string; text: string };
      if (message.action === "run") {
        const owed: Effect = { kind: "work", data: {}, id: `e-of-${envelope.id}`, ...effect };
        return next({
          pending: true,
          data: { job: 1 },
          effects: [owed],
          state: state.put(jobTable, envelope.id, "owed"),
        });
      }
      if (state.get(jobTable, id) === undefined) return refuse("JOB_OVER", `${id} is over`);
      const after = state.remove(jobTable, id);
      const error = { code: message.action === "cancel" ? "CANCELLED" : "JOB_FAILED", message: text ?? "" };
      if (message.action === "done") return next({ state: after, settles: [{ id, data: text }] });
      const settles = [{ id, error: message.action === "lost" ? { code: "JOB_LOST", message: "" } : error }];
      return next({ state: after, settles, ...(message.action === "cancel" ? { cancels: [`e-of-${id}`] } : {}) });
    },
    effects: {
      work: {
        carryOut(owed, runtime) {
          const outcome = work(owed, runtime);
          return outcome instanceof Promise
            ? outcome.then((text) => says("done", owed, text))
            : says("done", owed, outcome as string);
        },
        failed: (owed, { code }) => says("failed", owed, code),
        lost: (owed) => says("lost", owed),
      },
    },
  });
}

/** Work that ends when the test says so. */
export function byHand() {
  const running: { effect: OwedEffect; signal: AbortSignal; end(text: string): void; fail(error: Error): void }[] = [];
  const work: Work = (effect, { signal }) => new Promise((end, fail) => running.push({ effect, signal, end, fail }));
  return { running, work };
}
