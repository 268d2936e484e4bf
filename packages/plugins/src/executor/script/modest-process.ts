// What a process that runs scripts asks of the kernel: to end with its node, whatever it is doing (in a loop that nothing
// interrupts it would not see that the node is gone), and to be the first that goes when memory runs out. Linux alone has
// these; elsewhere such a process ends with the loop.

import { dlopen } from "bun:ffi";
import { writeFileSync } from "node:fs";

const LIBRARIES = ["libc.so.6", "libc.so", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9n;

export function becomeModest(): void {
  if (process.platform !== "linux") return;
  LIBRARIES.some((name) =>
    succeeds(() => {
      dlopen(name, { prctl: { args: ["int", "u64"], returns: "int" } }).symbols.prctl(PR_SET_PDEATHSIG, SIGKILL);
    }),
  );
  succeeds(() => writeFileSync("/proc/self/oom_score_adj", "1000"));
}

function succeeds(what: () => void): boolean {
  try {
    what();
    return true;
  } catch {
    return false;
  }
}
