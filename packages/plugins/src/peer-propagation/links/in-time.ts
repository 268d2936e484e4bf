// Waiting for what a peer answers: for a while. What comes later is nobody's, and what it holds on the other side is given back.

import type { Timers } from "@capstan/orchestrator";
import { release } from "./outbox.ts";

/** @throws Error that says how long it was, and whatever the answer is refused with */
export function inTime(answer: Promise<unknown>, ms: number, timers: Timers): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stop = timers.after(ms, () => {
      reject(new Error(`it did not answer within ${ms} ms`));
      answer.then(release, () => {});
    });
    answer.then(resolve, reject).finally(stop);
  });
}
