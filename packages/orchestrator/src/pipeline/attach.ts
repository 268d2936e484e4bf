// Waits again for a message that was decided before: by a repeat that joins the first of its key, or by `message.attach`, also after a
// restart. What came of it is told now, or once it is settled.

import { FaultError, fault } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import type { DecodedEntry } from "../log/entry.ts";
import type { CallOptions, Envelope } from "../message/message.ts";
import type { Composition } from "../plugin/composition.ts";
import type { Reader } from "../plugin/reader.ts";
import type { Answers } from "./answers.ts";
import type { Committer } from "./committer.ts";
import { markFinal } from "./final-answers.ts";
import type { Used } from "./keys.ts";
import { missingEntry } from "./missing-entry.ts";
import { entryAt, entryOf, outcomeOf } from "./outcomes.ts";
import type { Body } from "./recorder.ts";
import type { Tip } from "./tip.ts";
import { type Outcome, unwrap, type Waiters } from "./waiters.ts";

export interface AttachParts {
  readonly composition: Composition;
  readonly tip: Tip;
  readonly committer: Committer;
  readonly waiters: Waiters;
  readonly reader: Reader;
  readonly answers: Answers;
}

/**
 * Waits for the outcome of an earlier message. A repeat (`used`) brings that message's entry number, and its grant was checked before. Anyone
 * else may attach to a message of the same principal that the present grant would let it send.
 */
export async function attach(
  parts: AttachParts,
  id: string,
  envelope: Envelope,
  options: CallOptions,
  used?: Used,
): Promise<unknown> {
  const seq = used?.seq;
  const { reader, waiters, committer } = parts;
  let known: Outcome | undefined;
  let settle: (outcome: Outcome) => void = (outcome) => {
    known = outcome;
  };
  // Waiting begins before the log is read, so that no settlement falls between the two.
  const stop = waiters.wait(id, (outcome) => settle(outcome));
  try {
    if (seq !== undefined) await committer.whenDurable(seq);
    const entry = seq === undefined ? await entryOf(reader, id) : await entryAt(reader, seq);
    const own = used?.shared === true || entry?.header.principal === envelope.principal;
    if (entry === undefined || !own || (seq === undefined && !(await mayAsk(parts, entry, envelope)))) {
      const missing = entry === undefined ? await missingEntry(reader, id) : undefined;
      if (missing?.code === "HISTORY_GONE") throw new FaultError(missing);
      throw new FaultError(
        fault("MESSAGE_NOT_FOUND", `no message "${printable(id.slice(0, 80))}" of ${envelope.principal}`),
      );
    }
    await committer.whenDurable(entry.seq);
    const found = known === undefined ? await outcomeOf(reader, entry) : undefined;
    // An outcome that is undone leaves the message pending.
    const stands = found !== undefined && (await isDurable(committer, found.seq));
    if (known !== undefined) return unwrap(markFinal(known, envelope, used?.shared === false));
    if (stands) return unwrap(markFinal(found.outcome, envelope, used?.shared === false));
    const outcome = new Promise<Outcome>((resolve) => {
      settle = (one) => resolve(markFinal(one, envelope, used?.shared === false));
    });
    return await parts.answers.within(outcome, options.wait, { message: id }, entry.seq);
  } finally {
    stop();
  }
}

/** Whether the grant of `envelope` covers the message that the entry records. */
async function mayAsk(
  { composition, tip, reader }: AttachParts,
  entry: DecodedEntry,
  envelope: Envelope,
): Promise<boolean> {
  const { header } = entry;
  const route = composition.routes.get(header.message);
  // The plugin that declared it is gone, so that nothing can be asked about it: only the same grant may attach.
  if (route === undefined) return header.grant === envelope.grant;
  const data = ((await reader.part(entry, "b")) as Body | undefined)?.data;
  const message = { resource: route.resource, action: route.verb, data };
  return tip.askAuthority({ ...envelope, message }, route).kind === "done";
}

async function isDurable(committer: Committer, seq: number): Promise<boolean> {
  try {
    await committer.whenDurable(seq);
    return true;
  } catch {
    return false;
  }
}
