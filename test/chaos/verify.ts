// What must hold between what the clients were told, what the log says, and what the world saw. Each check names the key.

import type { Asked } from "./client.ts";
import type { Evidence } from "./evidence.ts";

/** Checks every line of the ledgers that is given. */
export function verifyAsked(asked: Iterable<Asked>, evidence: Evidence, violation: (text: string) => void): void {
  for (const one of asked) {
    const performs = evidence.performs.get(one.key) ?? [];
    const settlements = performs.flatMap((id) => evidence.settlements.get(id) ?? []);
    const ran = evidence.ran.get(one.key) ?? 0;
    if (performs.length > 1) violation(`${one.key}: performed ${performs.length} times under one key`);
    if (settlements.length > 1) violation(`${one.key}: ${settlements.length} committed outcomes`);
    if (one.action === "once" && ran > 1) violation(`${one.key}: not idempotent, and ran ${ran} times`);
    if (one.acknowledged !== undefined) {
      const [outcome] = settlements;
      if (outcome === undefined) violation(`${one.key}: acknowledged, and lost`);
      else if (outcome.code !== undefined) violation(`${one.key}: acknowledged, and committed as ${outcome.code}`);
      else if (!Bun.deepEquals(outcome.data, one.acknowledged)) {
        violation(`${one.key}: acknowledged with another output than the committed one, of entry ${outcome.entry}`);
      }
      if (one.action === "once" && ran === 0) violation(`${one.key}: acknowledged, and never ran`);
    }
    if (one.ambiguous !== undefined && settlements[0]?.code !== "EXECUTION_AMBIGUOUS") {
      violation(`${one.key}: called ambiguous, and committed as ${settlements[0]?.code ?? "something else"}`);
    }
  }
}

/** Once everything open was asked again there is nothing whose outcome somebody does not know, or know to be unknown. */
export function verifySettled(asked: Iterable<Asked>, violation: (text: string) => void): void {
  for (const { key, acknowledged, ambiguous, gaveUp } of asked) {
    if (acknowledged === undefined && ambiguous === undefined && !gaveUp) violation(`${key}: never came to an end`);
  }
}

/** What is listed as ambiguous is exactly what the log says is. */
export function verifyListed(listed: readonly string[], evidence: Evidence, violation: (text: string) => void): void {
  const inLog = new Set<string>();
  for (const [id, settlements] of evidence.settlements) {
    if (settlements.some(({ code }) => code === "EXECUTION_AMBIGUOUS")) inLog.add(`x${id.slice(1)}`);
  }
  for (const id of listed) if (!inLog.delete(id)) violation(`${id}: listed as ambiguous, and not committed so`);
  for (const id of inLog) violation(`${id}: ambiguous, and not listed`);
}
