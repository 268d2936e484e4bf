// Parses a peer's answer to a call as untrusted data of another administration: plain data within bounds, or nothing of it.

import { constants } from "node:os";
import { type Fault, FaultError, FINAL, fault, printable } from "@capstan/orchestrator";
import { plainJson } from "../../registry/plain-json.ts";
import type { PeerName } from "../names.ts";

/** Bounds of an answer: an output of 4 Mi characters at most, and what surrounds it (executor/task/plain-output.ts), and there is a little around it. */
const ANSWER = { depth: 95, characters: 4 * 1024 * 1024 + 4096 };
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
  // The call has no `wait` option, so a peer must not answer before the execution has ended.
  if (pending !== undefined) return { why: "says that it is pending" };
  return output === undefined ? {} : { output };
}

/** Whether a rejection is an answer. A lost session has no code; a system's own, such as ECONNRESET, is none either. */
export function isFarFault(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  return typeof code === "string" && !Object.hasOwn(constants.errno, code);
}

/** Whether a rejection is a last word (ADR 0035), other than an abandonment: nothing more will come of the call with that key. */
export function isFinal(thrown: unknown): boolean {
  return hasLastWord(thrown) && !isAbandoning(thrown);
}

/** Whether a rejection is the last word that the peer has abandoned the execution: the peer will never know its outcome. */
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

/** A fault whose details are a list, so that they cannot name the peer: it is in a field of its own. */
class FarFault extends FaultError {
  readonly peer: PeerName & { readonly id?: string };

  constructor(told: Fault, peer: FarFault["peer"]) {
    super(told);
    this.peer = peer;
  }
}

/**
 * Turns a peer's fault into ours: its code, because callers narrow on it; its text after the peer's name; and in the details, as `peer`, the peer
 * and its message's id, nested once for each node that the fault came through.
 */
export function farFault(thrown: unknown, peer: PeerName): FaultError {
  const far = (thrown ?? {}) as { code?: unknown; message?: unknown; details?: unknown; id?: unknown };
  const known = typeof far.code === "string" && CODE.test(far.code);
  const text = `${peer.name}: ${printable(textOf(far.message), LONGEST_TEXT)}`;
  const plain = far.details === undefined ? undefined : plainJson(far.details, DETAILS);
  const told = plain !== undefined && "json" in plain ? plain.json : undefined;
  const id = typeof far.id === "string" && MESSAGE.test(far.id) ? { id: far.id } : {};
  const code = known ? {} : { code: printable(String(far.code), 80) };
  // Callers of that code read the list of problems, so it stays; the text names the peer.
  if (known && told !== undefined && (typeof told !== "object" || told === null || Array.isArray(told))) {
    return new FarFault(fault(far.code as string, text, told), { ...peer, ...id });
  }
  // The mark of a last word is about the peer's link, and is removed.
  const { peer: next, [FINAL]: _, ...rest } = Array.isArray(told) ? {} : Object(told);
  const said = { ...peer, ...id, ...(typeof next === "object" && next !== null ? { peer: next } : {}) };
  return new FaultError(fault(known ? (far.code as string) : "PEER_FAULT", text, { ...rest, ...code, peer: said }));
}

/**
 * The fault where the outcome is not known.
 * @param why what is known instead; without it, the session ended before the answer came
 */
export function ambiguousFault(name: string, peer: PeerName, why?: string): FaultError {
  const known = why ?? `the session with ${peer.name} ended while it may have been running`;
  const text = `${name}: ${known}; execution.retry asks ${peer.name} what became of it, abandon gives it up`;
  return new FaultError(fault("EXECUTION_AMBIGUOUS", text, { peer }));
}

export function unreadable(name: string, peer: PeerName, why: string): FaultError {
  const text = `${name}: what ${peer.name} answered ${why}; it may have been carried out`;
  return new FaultError(fault("PEER_ANSWER_INVALID", text, { peer }));
}

function textOf(message: unknown): string {
  return typeof message === "string" ? message : "it gave no reason";
}
