// Waiting until two nodes have met and told each other all that they have; or why they have not, in the node's own words.

import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { PeerStatus } from "../output/peer-text.ts";
import { lineOn, spanText } from "../output/progress.ts";
import { ask } from "../remote/ask.ts";
import type { Target } from "../settings/target.ts";

const EVERY_MS = 100;

/** @throws FaultError PEER_NOT_ESTABLISHED, DETACHED where a person did not wait for it */
export async function establishedWithin(cli: Cli, target: Target, name: string, ms: number): Promise<PeerStatus> {
  const line = lineOn(cli);
  const until = performance.now() + ms;
  // Where nobody sits a signal is a signal.
  let stopped = false;
  if (line !== undefined) void cli.io.stopped().then(() => (stopped = true));
  try {
    for (;;) {
      const status = (await ask(target, "peer.show", { name })) as PeerStatus;
      const left = until - performance.now();
      const established = status.state === "established";
      if (established && (status.complete !== false || left <= 0)) return status;
      if (left <= 0 || status.state === "stopped") throw notEstablished(status, ms);
      if (stopped) throw detached(name, status);
      line?.write(`waiting for ${name}: ${status.state}${reasonText(status)}   ${spanText(left / 1000)} left`);
      await new Promise<void>((resolve) => cli.io.after(Math.min(EVERY_MS, left), resolve));
    }
  } finally {
    line?.erase();
  }
}

function notEstablished(status: PeerStatus, ms: number): FaultError {
  const { name, state, reason } = status;
  const after = state === "stopped" ? "" : ` after ${spanText(ms / 1000)}`;
  const goesOn = state === "stopped" ? "" : "; it is configured, and tried on";
  const unknown = reason?.includes(UNPROVED) ? "; an invitation is taken once, and until it expires" : "";
  const what = `${printable(name)} is ${printable(state)}${after}${reasonText(status)}${unknown}`;
  return new FaultError(fault("PEER_NOT_ESTABLISHED", `${what}${goesOn}: capstan peer show ${printable(name)}`));
}

function detached(name: string, status: PeerStatus): FaultError {
  const { state } = status;
  const what = `${printable(name)} is ${printable(state)}${reasonText(status)}, and no longer waited for; it is configured`;
  return new FaultError(fault("DETACHED", `${what}, and tried on: capstan peer show ${printable(name)}`));
}

/** What the other side says of everybody whom it does not know by a key and a secret. */
const UNPROVED = "authentication-failure";

function reasonText({ reason }: PeerStatus): string {
  return reason === undefined ? "" : ` (${printable(reason)})`;
}
