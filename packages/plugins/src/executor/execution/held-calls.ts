// What is held, and so is no execution yet, or none that runs: performings, and retries of executions. Looked up before a decision.

import {
  type Envelope,
  entryOf,
  type Facts,
  type HeldMessage,
  heldMessage,
  heldMessages,
  messageName,
  type Reader,
  siblingId,
} from "@capstan/orchestrator";
import type { Addressed } from "../../registry/destination.ts";
import type { Context } from "../context.ts";
import { executionTable } from "../schema.ts";

/** A fact: `HeldCall`s. */
const HELD = "execution.held";

export interface HeldCall extends Addressed {
  readonly message: string;
  readonly principal: string;
  readonly via: readonly string[];
  readonly request?: string;
  /** The execution that it would try again. */
  readonly retries?: string;
}

/** What was looked up is as it is: where a hold ended since, it was looked up again. */
export function heldCalls({ envelope }: Context): readonly HeldCall[] {
  return (envelope.facts[HELD] ?? []) as readonly HeldCall[];
}

/** The fact `execution.held` of performings; none where none of them is held. */
export async function heldPerforms(reader: Reader, ids: readonly (string | undefined)[]): Promise<Facts> {
  return factsOf(await performsAmong(reader, ids));
}

/** The same of what would be cancelled by its id: its message's, or that of the execution that it is, would be, or is tried again as. */
export async function heldById({ message }: Envelope, reader: Reader): Promise<Facts> {
  const { id } = message.data as { readonly id: string };
  const execution = siblingId(id, "x");
  const isOpen = reader.get(executionTable, execution) !== undefined;
  const performs = isOpen ? [] : await performsAmong(reader, [siblingId(id, "m")]);
  // Last: whatever else is held or settled meanwhile, it would have to be looked through again.
  return factsOf([...performs, ...(await heldRetries(reader, id, execution))]);
}

async function performsAmong(reader: Reader, ids: readonly (string | undefined)[]): Promise<HeldCall[]> {
  const held = new Map<string, HeldCall>();
  for (const id of ids) {
    const found = id === undefined ? undefined : await heldMessage(reader, id);
    if (found !== undefined && messageName(found.envelope.message) === "action.perform")
      held.set(found.id, callOf(found, found.envelope.message.data as Addressed));
  }
  return [...held.values()];
}

async function heldRetries(reader: Reader, id: string, execution: string): Promise<HeldCall[]> {
  const found: HeldCall[] = [];
  for (const held of heldMessages(reader)) {
    if (messageName(held.envelope.message) !== "execution.retry") continue;
    const { id: retries } = held.envelope.message.data as { readonly id: string };
    if (held.id !== id && retries !== execution) continue;
    const entry = await entryOf(reader, siblingId(retries, "m"));
    const body = entry && ((await reader.part(entry, "b")) as { readonly data?: Addressed } | undefined);
    // Of what was erased nobody can tell whose it is.
    if (body?.data !== undefined) found.push({ ...callOf(held, { name: body.data.name }), retries });
  }
  return found;
}

function callOf({ id, envelope: { principal, via, request } }: HeldMessage, { name, at, origin }: Addressed): HeldCall {
  return {
    ...{ message: id, name, principal, via },
    ...(at === undefined ? {} : { at }),
    ...(origin === undefined ? {} : { origin }),
    ...(request === undefined ? {} : { request }),
  };
}

function factsOf(held: readonly HeldCall[]): Facts {
  return held.length === 0 ? {} : { [HELD]: held };
}
