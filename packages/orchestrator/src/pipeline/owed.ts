// An owed effect between its three forms: what a plugin asked for, the row that is kept, and what its handler is given.

import { siblingId } from "../message/id.ts";
import type { Envelope } from "../message/message.ts";
import type { OwedEffect } from "../plugin/plugin.ts";
import type { OwedBy } from "./decide.ts";
import type { EffectRow } from "./kernel-tables.ts";

/** An owed effect with the entry of the message that owes it, and the entry that made it so: a retry's is a later one. */
export interface Owed extends OwedEffect {
  readonly seq: number;
  readonly committedBy: number;
  /** The entry by which the try before this one had ended. */
  readonly after: number | undefined;
}

/** The `index`th effect that `envelope` owes, decided as entry `seq`. A retry is still owed by the first message. */
export function owedEffect(
  envelope: Envelope,
  { plugin, effect }: OwedBy,
  index: number,
  owner: OwedEffect["owner"],
  seq: number,
  outcomeOf: OwedEffect | undefined,
): Owed {
  const retried = outcomeOf !== undefined && effect.message === outcomeOf.owing ? (outcomeOf as Owed) : undefined;
  return {
    id: effect.id ?? `${siblingId(envelope.id, "e")}.${index}`,
    plugin,
    kind: effect.kind,
    data: effect.data,
    attempt: effect.attempt ?? 1,
    replayable: effect.replayable ?? false,
    owing: retried?.owing ?? envelope.id,
    message: retried?.message ?? envelope.message,
    seq: retried?.seq ?? seq,
    committedBy: seq,
    after: effect.after ?? (retried === undefined ? undefined : seq),
    principal: retried?.principal ?? envelope.principal,
    grant: retried?.grant ?? envelope.grant,
    hops: retried?.hops ?? envelope.hops,
    via: retried?.via ?? envelope.via,
    correlation: retried?.correlation ?? envelope.correlation,
    traceparent: retried?.traceparent ?? envelope.traceparent,
    notBefore: effect.notBefore,
    deadline: effect.deadline,
    owner,
  };
}

/** The row that is stored; the rest is in the owing entry. */
export function rowOf(effect: Owed): EffectRow {
  return {
    plugin: effect.plugin,
    kind: effect.kind,
    data: effect.data,
    attempt: effect.attempt,
    replayable: effect.replayable,
    owing: effect.owing,
    seq: effect.seq,
    ...(effect.after === undefined ? {} : { after: effect.after }),
    ...(effect.notBefore === undefined ? {} : { notBefore: effect.notBefore }),
    ...(effect.deadline === undefined ? {} : { deadline: effect.deadline }),
    node: effect.owner.node,
    epoch: effect.owner.epoch,
  };
}
