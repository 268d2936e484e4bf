// Peers that read what they are not told of, and peers that answer what nobody asked for, over real sessions: what comes of it is
// theirs, and costs nobody else anything.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { FaultError } from "@capstan/orchestrator";
import type { RoutePolicy } from "@capstan/peer";
import { faultFrom } from "../../hub.fixture.ts";
import { heardAs } from "../links/frames.ts";
import { allOut, everything, keepSecret, only, type PeerNode, pairSecret, peered, until } from "../peers.fixture.ts";
import { RawPeer, rawIdentity } from "../raw-peer.fixture.ts";
import { elsewhere, handed, node, numbers, publishes, subscribed, TOPIC } from "./topics.fixture.ts";

let osaka: PeerNode;
let peer: RawPeer;
/** What it answers where it is asked to read. */
let answers: (asked: { after?: string; wait: number }, nth: number) => unknown;
let asked = 0;

async function raw(exports: RoutePolicy): Promise<void> {
  await osaka.app.peer.add({
    ...{ name: "raw", node: "n-raw", keys: [rawIdentity("n-raw").publicKey], import: everything, export: exports },
    secrets: [keepSecret("RAW_TOPICS", pairSecret("raw"))] as never,
  });
  peer = new RawPeer({
    ...{ id: "n-raw", url: osaka.url, node: osaka.id, key: osaka.key, secret: pairSecret("raw") },
    told({ resource, data }) {
      if (resource === "topic") return answers(data as { after?: string; wait: number }, ++asked);
      const { connection } = peer.link as { connection: string };
      peer.tell(heardAs(connection, (data as { frame: unknown }).frame));
      return undefined;
    },
  });
  await until(() => peer.heard.includes("peer.endOfTable"));
}

const reading = (more: object = {}) => {
  const data = { topic: TOPIC, origin: osaka.id, limit: 10, wait: 0, ...more };
  const ask = peer.link?.ask ?? expect.unreachable();
  return ask({ resource: "topic", action: "read", data });
};

/** As it came over the wire. */
const refusal = (answer: Promise<unknown>): Promise<FaultError> =>
  answer.then(
    () => expect.unreachable(),
    (thrown) => thrown,
  );

beforeEach(async () => {
  asked = 0;
  osaka = await node("n-osaka");
});
afterEach(() => peer?.close());

describe("a peer that reads", () => {
  test("is answered what it is told of, and that it is not what it is not", async () => {
    const publish = await publishes(osaka);
    await raw(only("topic:action.tick"));
    const { next } = (await reading()) as { next: string };
    await publish(1);
    expect(await reading({ after: next })).toMatchObject({ items: [{ topic: TOPIC, data: 1 }] });
    expect(await refusal(reading({ topic: "action.secret" }))).toMatchObject({ code: "REFUSED" });
    expect(await refusal(reading({ topic: "action.*" }))).toMatchObject({ code: "MESSAGE_INVALID" });
    expect(await refusal(reading({ after: "9999999.l-other" }))).toMatchObject({ code: "CURSOR_FOREIGN" });
    expect(await refusal(reading({ origin: "n-elsewhere" }))).toMatchObject({ code: "TOPIC_UNREACHABLE" });
  });

  test("is refused by its export policy, and told by which clause", async () => {
    await publishes(osaka);
    const secret = { name: "secret", then: "reject" as const, match: { routes: ["topic:action.tick"] } };
    await raw({ clauses: [secret, { name: "rest", then: "accept" }] });
    const refused = await refusal(reading());
    expect(refused).toMatchObject({ code: "ROUTE_NOT_EXPORTED" });
    expect(refused.message).toBe('raw is not told of topic:action.tick: clause "secret" rejects it');
  });

  test("is asked its policy again once it has waited", async () => {
    const publish = await publishes(osaka);
    await raw(allOut);
    const { next } = (await reading()) as { next: string };
    const waiting = refusal(reading({ after: next, wait: 20_000 }));
    await until(() => osaka.messages.filter((message) => message === "peer.raw topic.read").length === 2);
    const secret = { name: "secret", then: "reject" as const, match: { routes: ["topic:*"] } };
    await osaka.app.peer.configure({ name: "raw", export: { clauses: [secret, ...allOut.clauses] } });
    await publish(1);
    expect(await waiting).toMatchObject({ code: "ROUTE_NOT_EXPORTED" });
  });

  test("has to be one", async () => {
    await raw(allOut);
    const asked = { topic: TOPIC, origin: osaka.id, limit: 1, wait: 0 };
    expect(await faultFrom(osaka.app.topic.read(asked))).toMatchObject({ code: "PEER_UNKNOWN" });
  });
});

describe("a peer that is read", () => {
  test("and lies is asked less and less; what it said is nowhere, and topics of others arrive", async () => {
    const cairo = await node("n-cairo");
    const publish = await publishes(cairo);
    await raw(allOut);
    await peered(osaka, cairo);
    peer.tell({ type: "originate", announce: [["topic:action.trap", ""]], withdraw: [] });
    const one = { topic: "action.trap", id: "m-1", at: 1, data: "false", hops: 0 };
    answers = ({ after }) =>
      after === undefined
        ? { items: [], next: "5.l-raw" }
        : {
            items: [
              { ...one, cursor: "9.l-raw" },
              { ...one, cursor: "8.l-raw" },
            ],
            next: "9.l-raw",
          };
    await until(async () => (await osaka.app.route.show({ route: "topic:action.trap" })).paths.length === 1);
    const { id } = await osaka.app.subscription.create({ topic: "action.trap" });
    const good = await subscribed(osaka);
    await until(async () => (await elsewhere(osaka, id)).why?.includes("not in the order of one log"));
    await publish(...numbers(10));
    expect(await handed(osaka, good, 10)).toEqual(numbers(10));
    expect(await handed(osaka, id, 0)).toEqual([]);
    // One for its place, one for where it is, and one that was of no use: it rests.
    expect(asked).toBeLessThan(6);
    expect(osaka.lines.filter((line) => line.includes("a topic could not be read by a peer"))).toHaveLength(1);
  });

  test("and answers with what is larger than a frame loses its session; the rest goes on", async () => {
    await raw(allOut);
    peer.tell({ type: "originate", announce: [["topic:action.trap", ""]], withdraw: [] });
    answers = () => ({ items: [], next: "a".repeat(5 * 1024 * 1024) });
    await until(async () => (await osaka.app.route.show({ route: "topic:action.trap" })).paths.length === 1);
    const { id } = await osaka.app.subscription.create({ topic: "action.trap" });
    await until(async () => (await elsewhere(osaka, id)).why?.includes("no session with n-raw"));
    expect(await handed(osaka, id, 0)).toEqual([]);
    expect(peer.events.join()).toContain("a frame is larger");
  });
});
