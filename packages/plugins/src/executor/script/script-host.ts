// The program of a process that runs scripts: takes messages, runs one guest at a time, and answers. It reads no file and
// opens no connection; what a guest may do, the node does for it. `new URL("./script-host.ts", …)` makes it part of the binary.

import { Guest } from "./guest.ts";
import { becomeModest } from "./modest-process.ts";
import { newQuickJS } from "./quickjs-instance.ts";
import type { CompileMessage, RunMessage, Said, Told } from "./script-messages.ts";

/** A process that has grown so far is replaced: garbage is not always collected when one would like it. */
const MOST_RESIDENT_BYTES = 320 * 1024 * 1024;

let guest: Guest | undefined;
let current = 0;

const say = (said: Said): void => {
  process.send?.(said);
};

async function begin(told: RunMessage | CompileMessage): Promise<void> {
  const { run } = told;
  current = run;
  const quickjs = await newQuickJS(told.limits.memory);
  // Stopped while QuickJS was loading.
  if (current !== run) return;
  say({ kind: "started", run });
  const job = told.kind === "run" ? told : { ...told, given: { files: false } };
  guest = new Guest(quickjs, job, {
    ask: (ask, what, data) => say({ kind: "ask", run, ask, what, data }),
    log: (level, text) => say({ kind: "log", run, level, text }),
    waiting: (answered, spent) => say({ kind: "waiting", run, answered, spent }),
    ended(outcome) {
      guest = undefined;
      say({ kind: "ended", run, outcome, retire: process.memoryUsage.rss() > MOST_RESIDENT_BYTES });
    },
  });
  if (told.kind === "run") guest.run();
  else guest.compile();
}

process.on("message", (told: Told) => {
  switch (told.kind) {
    case "run":
    case "compile":
      void begin(told);
      return;
    case "answer":
      if (told.run === current) guest?.answer(told);
      return;
    case "stop":
      if (told.run !== current) return;
      current = 0;
      guest = undefined;
      return;
    default:
      told satisfies never;
  }
});
process.on("disconnect", () => process.exit(0));
becomeModest();
// Compiled before it is asked for.
void newQuickJS(16 * 1024 * 1024);
