// The clock, held against what the log says of time: an entry's time never runs backwards, so a clock that was ahead once
// leaves its mark until time has caught up.

import { type Finding, Findings } from "./finding.ts";

export interface Times {
  readonly now: number;
  /** Of the last entry. */
  readonly lastAt: number | undefined;
  /** Of the last checkpoint. */
  readonly checkpointAt: number | undefined;
  /** What the server says that it is, to the second. */
  readonly serverAt: number | undefined;
}

/** Two machines' clocks, or one that is being slewed, differ by as much. */
const TOLERANCE_MS = 5000;

export function clockFindings({ now, lastAt, checkpointAt, serverAt }: Times): readonly Finding[] {
  const found = new Findings("clock");
  if (lastAt !== undefined && lastAt - now > TOLERANCE_MS) {
    found.fail(
      `the last entry is of ${iso(lastAt)}, ${spanText(lastAt - now)} from now`,
      "set this machine's clock; if the last entry's was wrong, entries keep that time until it has come",
    );
  } else if (checkpointAt !== undefined && checkpointAt - now > TOLERANCE_MS) {
    found.warn(
      `the checkpoint is of ${iso(checkpointAt)}, ${spanText(checkpointAt - now)} from now`,
      "set this machine's clock, or wait until that time has come",
    );
  }
  if (serverAt !== undefined && Math.abs(serverAt - now) > TOLERANCE_MS) {
    const by = `${spanText(Math.abs(serverAt - now))} ${serverAt > now ? "ahead of" : "behind"}`;
    found.warn(`the server's clock is ${by} this one`, "have both set by NTP: what expires does so by the server's");
  }
  if (found.list.length === 0) found.ok(iso(now));
  return found.list;
}

function iso(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

/** `3 h`: of the largest unit that it has two of, or nearly. */
export function spanText(ms: number): string {
  for (const [unit, size] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
  ] as const) {
    if (ms >= 1.5 * size) return `${Math.round(ms / size)} ${unit}`;
  }
  return `${Math.round(ms / 1000)} s`;
}
