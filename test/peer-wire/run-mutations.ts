// So many mutated messages, one after the other, to a victim: conversations that begin right and stay right for a while, so that
// every state is reached and the tables are full when the wrong one comes.

import { encodeFrame, type Message, type Session } from "@capstan/peer";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { mutate } from "./mutate.ts";
import { type Party, party, VICTIM } from "./parties.ts";
import { Victim } from "./victim.ts";

export interface MutationRun {
  readonly mutated: number;
  /** Unchanged messages that went between them. */
  readonly right: number;
  /** Of mutated messages. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** In which states the mutated ones came. */
  readonly states: ReadonlyMap<string, number>;
  readonly thrown: readonly string[];
  readonly violations: readonly string[];
}

/** Of mutated messages, one look at what is told on. */
const AUDIT_EACH = 1_000;
const MOST_KEPT = 20;

export interface MutationOptions {
  readonly messages: number;
  readonly seed: number;
  /** What the victim believes without looking, to see that it would be found. */
  readonly control?: "signatures" | "proofs";
}

export function runMutations({ messages, seed, control }: MutationOptions): MutationRun {
  const random = new SeededRandom(seed);
  const parties = [party("n-outside", "outside"), party("n-inside", VICTIM.domain)];
  const victim = new Victim(parties, party("n-watcher", "watching"), control);
  const corpora = parties.map(({ corpus, open }) => [...corpus, open("dialler"), open("acceptor")]);
  /** Sessions are values: one that has come so far is where any number of conversations begin. */
  const reachedBefore = new Map<string, Session>();
  const outcomes = new Map<string, number>();
  const states = new Map<string, number>();
  const thrown: string[] = [];
  const run = { mutated: 0, right: 0 };

  while (run.mutated < messages) {
    const at = random.upTo(parties.length) - 1;
    converse(parties[at] as Party, corpora[at] as readonly Message[]);
  }
  victim.audit();
  return { ...run, outcomes, states, thrown, violations: victim.violations };

  function converse(peer: Party, corpus: readonly Message[]): void {
    const role = random.pick(["dialler", "acceptor"] as const);
    // Mostly the mutations come when the session is established: there is most to do wrong.
    const rightUntil = random.pick(["", "open-confirm", "established", "established", "established", "established"]);
    const before = random.next() < 0.9 ? reachedBefore.get(`${peer.node} ${role} ${rightUntil}`) : undefined;
    let reached = rightUntil === "" || before !== undefined;
    let session = before ?? victim.begin(peer, role);
    if (before?.state === "established") victim.open(peer);
    const length = random.upTo(24);
    for (let n = 0; n < length && session.connection !== undefined && run.mutated < messages; n++) {
      if (!reached && session.state === rightUntil) {
        reached = true;
        reachedBefore.set(`${peer.node} ${role} ${rightUntil}`, session);
      }
      const right = due(peer, session, corpus);
      const wrong = reached && random.next() < 0.8;
      const lost = wrong && random.next() < 0.05;
      const numbered = { ...right, seq: session.received + (lost ? random.upTo(3) : 0) };
      const text = wrong ? mutate(numbered, corpus, random) : encodeFrame(numbered);
      const heard = hear(peer, session, text, wrong);
      if (heard === undefined) return;
      const proved = session.state !== "established" && heard.state === "established";
      if (proved && !Bun.deepEquals(JSON.parse(text), { ...right, seq: session.received })) {
        victim.violations.push(`proved by another proof: ${text}`);
      }
      session = heard;
    }
    if (session.state === "established" && random.next() < 0.5) victim.end(peer);
  }

  function due(peer: Party, session: Session, corpus: readonly Message[]): Message {
    if (random.next() < 0.03) return random.pick(corpus);
    const side = session.role === "dialler" ? "acceptor" : "dialler";
    if (session.state === "active" || session.state === "open-sent") return peer.open(side);
    if (session.state !== "open-confirm" || session.ours === undefined) return random.pick(corpus);
    const exchange =
      side === "dialler"
        ? { dialler: peer.open(side), acceptor: session.ours }
        : { dialler: session.ours, acceptor: peer.open(side) };
    const [secret] = exchange.acceptor.secrets as [string];
    const proof = peer.prover.prove(side, exchange, secret, side === "acceptor" ? session.proof : undefined);
    return { type: "proof", seq: 1, ...proof };
  }

  function hear(peer: Party, session: Session, text: string, wrong: boolean): Session | undefined {
    if (wrong) run.mutated++;
    else run.right++;
    try {
      const heard = victim.hear(peer, session, text);
      if (wrong) {
        count(outcomes, heard.outcome);
        count(states, session.state);
        if (run.mutated % AUDIT_EACH === 0) victim.audit();
      }
      return heard.session;
    } catch (error) {
      if (thrown.length < MOST_KEPT)
        thrown.push(`${session.state}: ${error instanceof Error ? error.stack : error}\n${text.slice(0, 500)}`);
      return undefined;
    }
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
