// Durations and instants as people write them: `500ms`, `30s`, `7d`; `2026-12-01T00:00Z`.

import { usageFault } from "../fault/thrown.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds; a bare number is of milliseconds. */
export function duration(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?$/.exec(text.trim());
  if (match === null) throw usageFault(`${flag} "${text}" is no duration; write 500ms, 30s, 5m, 2h or 7d`);
  return Math.round(Number(match[1]) * (UNITS[match[2] ?? "ms"] as number));
}

/** Milliseconds since the epoch: an ISO 8601 date, or a duration from `now` on. */
export function instantOf(text: string, flag: string, now: number): number {
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const at = Date.parse(text);
    if (!Number.isNaN(at)) return at;
  } else if (/^\d+(\.\d+)?\s*(s|m|min|h|d)$/.test(text.trim())) {
    return now + duration(text, flag);
  } else if (/^\d{12,}$/.test(text)) {
    return Number(text);
  }
  throw usageFault(`${flag} "${text}" is no time; write 7d, 2h or 2026-12-01T00:00Z`);
}
