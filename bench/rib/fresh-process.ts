// Rounds in processes of their own: what one has allocated or compiled is no other's. A round in which other processes took much
// of the machine is thrown away, within bounds; past them it is kept, and counted as disturbed.

import { fileURLToPath } from "node:url";
import { busyMicros, pinnedCommand, SERVER_CORE } from "../kernel/machine.ts";

export interface Round {
  readonly answer: unknown;
  readonly disturbed: boolean;
}

export interface Rounds {
  readonly kept: readonly Round[];
  readonly rejected: number;
}

/** More than this part of one core taken by others, and the round says little: as in the kernel's figures. */
const OTHERS_AT_MOST = 0.2;
/** For each round that is wanted, how many may be thrown away on the way there. */
const RETRIES_A_ROUND = 1;

/** `script` writes its answer to standard output, as JSON. */
export function roundsOf(wanted: number, script: URL, ...args: readonly string[]): Rounds {
  const kept: Round[] = [];
  let rejected = 0;
  while (kept.length < wanted) {
    const { answer, others } = inFreshProcess(script, args);
    const disturbed = others > OTHERS_AT_MOST;
    if (disturbed && rejected < wanted * RETRIES_A_ROUND) rejected++;
    else kept.push({ answer, disturbed });
  }
  return { kept, rejected };
}

function inFreshProcess(script: URL, args: readonly string[]): { readonly answer: unknown; readonly others: number } {
  const path = fileURLToPath(script);
  const busy = busyMicros();
  const start = performance.now();
  // We wait for it and do nothing else: what is neither ours nor idle is somebody else's.
  const { stdout, stderr, exitCode, resourceUsage } = Bun.spawnSync(
    pinnedCommand(SERVER_CORE, [process.execPath, path, ...args]),
  );
  const micros = (performance.now() - start) * 1000;
  if (exitCode !== 0) throw new Error(`${args[0]}: the process ended with ${exitCode}: ${stderr}`);
  const taken = busy === undefined ? 0 : (busyMicros() as number) - busy - Number(resourceUsage.cpuTime.total);
  return { answer: JSON.parse(stdout.toString()), others: taken / micros };
}
