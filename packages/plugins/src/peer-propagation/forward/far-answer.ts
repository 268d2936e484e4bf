// What a peer answers a performing with, read as what it is: another administration's word. Plain data within bounds, or nothing.

import { type Fault, FaultError, FINAL, fault, printable } from "@capstan/orchestrator";
import { plainJson } from "../../registry/plain-json.ts";

/** A peer, as its operator here calls it. */
export interface PeerName {
  readonly name: string;
  readonly node: string;
}

/** An output is 4 Mi characters at most (executor/plain-output.ts), and there is a little around it. */
const ANSWER = { depth: 95, bytes: 4 * 1024 * 1024 + 4096 };
const DETAILS = { depth: 32, bytes: 16 * 1024 };
const LONGEST_TEXT = 2000;

const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const EXECUTION = /^x-[0-9A-HJKMNP-TV-Z]{16}$/;
/** A message's id. */
export const MESSAGE = /^m-[0-9A-HJKMNP-TV-Z]{16}$/;

export function readPerformed(answer: unknown): { readonly output?: unknown } | { readonly why: string } {
  const plain = plainJson(answer, ANSWER);
  if ("why" in plain) return { why: plain.why };
  const { json } = plain;
  if (typeof json !== "object" || json === null || Array.isArray(json)) return { why: "is no object" };
  const { execution, output, pending } = json;
  if (typeof execution !== "string" || !EXECUTION.test(execution)) return { why: "names no execution" };
  // We never say how long we wait, so nobody may answer before it is over.
  if (pending !== undefined) return { why: "says that it is pending" };
  return output === undefined ? {} : { output };
}

/** Whether a rejection is an answer. A lost session has no code; a system's own, such as ECONNRESET, is none either. */
export function isFarFault(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  return typeof code === "string" && !/^E[A-Z]+$/.test(code);
}

/** Whether it says of a rejection that nothing more will become of what it was asked by that key, and it is known what did. */
export function isFinal(thrown: unknown): boolean {
  return hasLastWord(thrown) && !isAbandoning(thrown);
}

/** Whether nothing more will become of it there, and nobody knows what did: it was given up. */
export function isGivenUp(thrown: unknown): boolean {
  return hasLastWord(thrown) && isAbandoning(thrown);
}

function hasLastWord(thrown: unknown): boolean {
  const { details } = (thrown ?? {}) as { readonly details?: unknown };
  return (Object(details) as { readonly [FINAL]?: unknown })[FINAL] === true;
}

function isAbandoning(thrown: unknown): boolean {
  return (thrown as { readonly code?: unknown } | undefined)?.code === "EXECUTION_ABANDONED";
}

/** One whose details have no room for who said it: they are a list, which is the caller's. */
class FarFault extends FaultError {
  readonly peer: PeerName & { readonly id?: string };

  constructor(told: Fault, peer: FarFault["peer"]) {
    super(told);
    this.peer = peer;
  }
}

/**
 * A peer's fault as ours: its code, because callers narrow on it; its text behind the peer's name; and in the details who said so,
 * and by which message of theirs: `peer`, in each other as often as it was handed on.
 */
export function farFault(thrown: unknown, peer: PeerName): FaultError {
  const far = (thrown ?? {}) as { code?: unknown; message?: unknown; details?: unknown; id?: unknown };
  const known = typeof far.code === "string" && CODE.test(far.code);
  const text = `${peer.name}: ${printable(textOf(far.message), LONGEST_TEXT)}`;
  const plain = far.details === undefined ? undefined : plainJson(far.details, DETAILS);
  const told = plain !== undefined && "json" in plain ? plain.json : undefined;
  const id = typeof far.id === "string" && MESSAGE.test(far.id) ? { id: far.id } : {};
  const code = known ? {} : { code: printable(String(far.code), 80) };
  // A list of problems is what callers of that code read: who said so is in the text.
  if (known && told !== undefined && (typeof told !== "object" || told === null || Array.isArray(told))) {
    return new FarFault(fault(far.code as string, text, told), { ...peer, ...id });
  }
  // Its last word is its own, and not ours.
  const { peer: next, [FINAL]: _, ...rest } = Array.isArray(told) ? {} : Object(told);
  const said = { ...peer, ...id, ...(typeof next === "object" && next !== null ? { peer: next } : {}) };
  return new FaultError(fault(known ? (far.code as string) : "PEER_FAULT", text, { ...rest, ...code, peer: said }));
}

/** The session ended before an answer came. */
export function ambiguousFault(name: string, peer: PeerName): FaultError {
  const text = `${name}: the session with ${peer.name} ended while it may have been running; execution.retry asks ${peer.name} what became of it, abandon gives it up`;
  return new FaultError(fault("EXECUTION_AMBIGUOUS", text, { peer }));
}

export function unreadable(name: string, peer: PeerName, why: string): FaultError {
  const text = `${name}: what ${peer.name} answered ${why}; it may have been carried out`;
  return new FaultError(fault("PEER_ANSWER_INVALID", text, { peer }));
}

function textOf(message: unknown): string {
  return typeof message === "string" ? message : "it gave no reason";
}
