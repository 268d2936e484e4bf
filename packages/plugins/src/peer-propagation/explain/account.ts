// What this node tells a peer of a message of that peer's: as far as the peer's `disclose` says, and of this message alone. Never data,
// facts, rows or grants; never who else had to do with it.

import { type Explanation, printable } from "@capstan/orchestrator";
import type { Disclosure } from "../schema.ts";

/** `ambiguous`: nobody knows whether it ran. `erased`: what told of it is gone. */
export const STATES = ["refused", "held", "running", "done", "failed", "ambiguous", "erased"] as const;
export type AccountState = (typeof STATES)[number];

/** More of them, or longer words of theirs, are not told: whoever is asked bounds the answer, or whoever asks refuses all of it. */
export const MOST_PLUGINS = 64;
const LONGEST_CLAUSE = 400;
const LONGEST_TEXT = 2000;

export interface Account {
  readonly disclosed: Disclosure;
  /** The message there. */
  readonly id?: string | undefined;
  readonly state?: AccountState | undefined;
  /** Of the fault, where it came to one. */
  readonly code?: string | undefined;
  /** Which plugin refused it, or holds it. */
  readonly plugin?: string | undefined;
  /** With `clauses`: why it was refused, and what each plugin said. */
  readonly text?: string | undefined;
  readonly plugins?:
    | readonly { readonly plugin: string; readonly verdict: string; readonly clause?: string | undefined }[]
    | undefined;
  /** Whom that node asked in turn. */
  readonly peers?: readonly Told[] | undefined;
}

/** A neighbour that was asked, and what it said of it; or why it said nothing. */
export interface Told {
  /** As whoever asked it calls it, and its node. */
  readonly name: string;
  readonly node: string;
  readonly said?: Account | undefined;
  readonly silent?: string | undefined;
}

export function accountOf(explanation: Explanation, disclosed: Exclude<Disclosure, "nothing">): Account {
  const { id, error, plugins, waitsFor, outcome } = explanation;
  const state = stateOf(explanation);
  const code = error?.code ?? outcome?.error?.code;
  const plugin = waitsFor?.plugin ?? plugins.find(({ verdict }) => verdict === "refused")?.plugin;
  const account = {
    ...{ disclosed, id, state },
    ...(code === undefined || state === "erased" ? {} : { code }),
    ...(plugin === undefined ? {} : { plugin }),
  };
  if (disclosed === "outcome") return account;
  return {
    ...account,
    ...(error === undefined ? {} : { text: printable(error.message, LONGEST_TEXT) }),
    plugins: plugins.slice(0, MOST_PLUGINS).map(({ plugin: name, verdict, clause }) => ({
      ...{ plugin: name, verdict },
      ...(clause === undefined ? {} : { clause: printable(clause, LONGEST_CLAUSE) }),
    })),
  };
}

export function stateOf({ verdict, waitsFor, outcome, erased }: Explanation): AccountState {
  if (verdict === "refused") return "refused";
  if (waitsFor !== undefined) return "held";
  if (outcome === undefined) return erased?.includes("trace") ? "erased" : "done";
  switch (outcome.state) {
    case "pending":
      return "running";
    case "failed":
      return outcome.error?.code === "EXECUTION_AMBIGUOUS" ? "ambiguous" : "failed";
    default:
      return outcome.state;
  }
}
