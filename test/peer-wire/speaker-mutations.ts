// Mutated messages to a whole speaker, as its transports hand them over: who dials whom, whose a connection is, collisions and
// backoff are in it, where run-mutations.ts has the parts by themselves.

import {
  defaultTiming,
  encodeFrame,
  type Message,
  type Open,
  Speaker,
  type SpeakerEffect,
  type SpeakerInput,
  verifySignature,
} from "@capstan/peer";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { mutate } from "./mutate.ts";
import { NOW, nonce, type Party, party, VICTIM, victim, WALL } from "./parties.ts";
import type { MutationRun } from "./run-mutations.ts";
import { whyUndefined } from "./victim.ts";

/** What the peer knows of one connection. */
interface Line {
  readonly connection: string;
  readonly peer: Party;
  /** The peer's side. */
  readonly role: "dialler" | "acceptor";
  sent: number;
  open: Open | undefined;
  proof: Extract<Message, { type: "proof" }> | undefined;
  established: boolean;
  over: boolean;
}

/** Between conversations, in milliseconds: longer than any backoff here. */
const PAUSE = 20;

export function runSpeakerMutations({
  messages,
  seed,
}: {
  readonly messages: number;
  readonly seed: number;
}): MutationRun {
  const random = new SeededRandom(seed);
  const parties = [party("n-outside", "outside"), party("n-inside", VICTIM.domain)];
  const corpora = new Map(parties.map((one) => [one, [...one.corpus, one.open("dialler"), one.open("acceptor")]]));
  const run = { mutated: 0, right: 0, outcomes: new Map<string, number>(), states: new Map<string, number>() };
  const thrown: string[] = [];
  const violations: string[] = [];
  const lines = new Map<string, Line>();
  const dials = new Map<string, string>();
  let now = NOW;
  let accepted = 0;

  const timing = { ...defaultTiming, backoff: { first: 1, last: 8 }, advertisementInterval: 0 };
  const speaker = new Speaker(
    {
      ...{ ...VICTIM, name: "victim", key: victim.publicKey, sign: victim.sign, epoch: 5, restarting: false },
      ...{ owners: [], timing, chunkSize: 256, updateRoutes: 1024, verify: verifySignature },
      ...{ random: () => random.next(), nonce: () => nonce(`${random.next()}`) },
    },
    at(),
  );
  for (const { ribPeer, node, address, secrets } of parties) {
    const domain = ribPeer.domain === VICTIM.domain ? VICTIM.domain : undefined;
    tell({ type: "configure-peer", peer: { ...ribPeer, node, domain, secrets, address, required: [] } });
  }
  tell({ type: "originate", announce: [["action:own", ""]], withdraw: [] });
  while (run.mutated < messages) converse(random.pick(parties));
  return { ...run, thrown, violations };

  function at(): { now: number; wall: number } {
    return { now, wall: WALL + now / 1000 };
  }

  function converse(peer: Party): void {
    for (const until = now + PAUSE; now < until; now += 5) tell({ type: "tick" });
    const line = begin(peer);
    const mutates = random.pick(["at once", "established", "established"]);
    const length = 3 + random.upTo(20);
    for (let n = 0; n < length && !line.over && run.mutated < messages; n++) {
      const right = { ...due(line), seq: line.sent };
      const wrong = (mutates === "at once" || line.established) && random.next() < 0.7;
      const text = wrong ? mutate(right, corpora.get(peer) as Message[], random) : encodeFrame(right);
      line.sent += 1;
      if (wrong) run.mutated++;
      else run.right++;
      const state = line.established ? "established" : line.open === undefined ? "nothing said" : "not proved";
      const became = tell({ type: "received-text", connection: line.connection, text }, text);
      if (!wrong) continue;
      count(run.states, state);
      count(run.outcomes, `${line.over ? "ended" : "goes on"}${became.length > 0 ? `: ${became}` : ""}`);
    }
    if (!line.over && random.next() < 0.7) {
      lines.delete(line.connection);
      tell({ type: "lost", connection: line.connection, text: "reset" });
    }
  }

  /** Over the connection that the speaker dials, where it does, or over one that the peer dials. */
  function begin(peer: Party): Line {
    const dialled = dials.get(peer.node);
    dials.delete(peer.node);
    const connection = dialled ?? `x-${++accepted}`;
    const role = dialled === undefined ? "dialler" : "acceptor";
    const line = {
      connection,
      peer,
      role,
      sent: 0,
      open: undefined,
      proof: undefined,
      established: false,
      over: false,
    } as const;
    lines.set(connection, { ...line });
    tell({ type: dialled === undefined ? "accepted" : "connected", connection });
    return lines.get(connection) ?? { ...line, over: true };
  }

  function due({ peer, role, open, proof, established }: Line): Message {
    const ours = peer.open(role);
    if (established) return random.pick(peer.corpus);
    if (open === undefined) return ours;
    if (role === "acceptor" && proof === undefined) return ours;
    const exchange = role === "dialler" ? { dialler: ours, acceptor: open } : { dialler: open, acceptor: ours };
    const [secret] = exchange.acceptor.secrets as [string];
    return { type: "proof", seq: 1, ...peer.prover.prove(role, exchange, secret, proof) };
  }

  function tell(input: SpeakerInput, text = ""): string {
    try {
      const effects = speaker.handle(input, at());
      for (const effect of effects) carryOut(effect);
      check(input.type);
      return [...new Set(effects.map(told))].filter((one) => one !== "").join(", ");
    } catch (error) {
      if (thrown.length < 20)
        thrown.push(`${input.type}: ${error instanceof Error ? error.stack : error}\n${text.slice(0, 500)}`);
      return "threw";
    }
  }

  function carryOut(effect: SpeakerEffect): void {
    if (effect.type === "dial") dials.set(effect.peer, effect.connection);
    const line = "connection" in effect ? lines.get(effect.connection) : undefined;
    if (effect.type === "disconnect") lines.delete(effect.connection);
    if (effect.type === "event" && effect.event.kind === "established") {
      const proved = lines.get(effect.event.connection);
      if (proved !== undefined) proved.established = true;
    }
    if (line === undefined) return;
    if (effect.type === "disconnect") line.over = true;
    if (effect.type !== "send") return;
    if (effect.message.type === "open") line.open = effect.message;
    if (effect.message.type === "proof") line.proof = effect.message;
  }

  function check(after: string): void {
    for (const { node } of parties) {
      const neighbor = speaker.peering(node)?.neighbor;
      if (neighbor === undefined) continue;
      const sessions = [neighbor.dialled, ...neighbor.accepted.values()];
      for (const why of sessions.map(whyUndefined)) if (why !== undefined) violations.push(`after ${after}: ${why}`);
      const established = sessions.filter(({ state }) => state === "established").length;
      if (established !== (neighbor.current === undefined ? 0 : 1))
        violations.push(`after ${after}: ${established} established`);
      if (neighbor.accepted.size > 9)
        violations.push(`after ${after}: ${neighbor.accepted.size} connections of ${node}`);
    }
    const deadline = speaker.deadline();
    if (deadline !== undefined && !Number.isFinite(deadline)) violations.push(`after ${after}: wakes at ${deadline}`);
  }
}

function told(effect: SpeakerEffect): string {
  if (effect.type === "send") {
    const { message } = effect;
    return message.type === "notification" ? `${message.code}/${message.subcode}` : "";
  }
  if (effect.type === "routes") return "routes";
  return effect.type === "event" && effect.event.kind === "malformed" ? "malformed in part" : "";
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
