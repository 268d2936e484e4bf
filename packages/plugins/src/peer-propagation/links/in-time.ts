// Waits for a peer's answer, up to a time. A later answer is dropped, and the remote references in it are released.

import type { Timers } from "@capstan/orchestrator";
import { release } from "./outbox.ts";

/** @throws Error with the time, or the error that the peer answered */
export function inTime(answer: Promise<unknown>, ms: number, timers: Timers): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stop = timers.after(ms, () => {
      reject(new Error(`it did not answer within ${ms} ms`));
      answer.then(release, () => {});
    });
    answer.then(resolve, reject).finally(stop);
  });
}
