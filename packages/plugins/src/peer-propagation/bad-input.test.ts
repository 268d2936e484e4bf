// What a hostile or broken peer says, over real sockets, item by item of what a peer may try: the protocol's own list first
// (packages/peer/src/speaker/bad-input.test.ts says it to a speaker), then invitations and answers. Each costs that peer, at most its
// session, and nobody else: after each, an honest peer of the same node has its session and is performed for.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { FaultError } from "@capstan/orchestrator";
import { openSession } from "@capstan/orchestrator/client";
import { type Message, type RoutePolicy, secretId, signChunks } from "@capstan/peer";
import { faultFrom, protocol } from "../hub.fixture.ts";
import {
  allOut,
  complete,
  everything,
  keepSecret,
  LongTimers,
  type PeerNode,
  pair,
  pairSecret,
  peered,
  type ShownRoute,
  shown,
  startNode,
  until,
} from "./peers.fixture.ts";
import { RawPeer, rawIdentity } from "./raw-peer.fixture.ts";
import { peerSessionTable } from "./schema.ts";
import { type Passing, WireProxy } from "./wire-proxy.fixture.ts";

const timers = new LongTimers();
let victim: PeerNode;
let honest: PeerNode;
let raws: RawPeer[] = [];
/** Of the peer that misbehaves: another one in each test. */
let id: string;
let tests = 0;

beforeAll(async () => {
  victim = await startNode({ id: "n-b", timers });
  honest = await startNode({ id: "n-a" });
  await honest.app.action.register({ name: "greet", protocol: "echo" });
  await peered(honest, victim);
  await victim.app.route.own({ owners: [{ routes: ["action:bank.*"], node: "n-a", keys: [honest.key] }] });
});
afterAll(() => Promise.all([victim, honest].map(({ server }) => server.stop())));

beforeEach(() => {
  id = `n-m${++tests}`;
});
afterEach(async () => {
  for (const one of raws) one.close();
  raws = [];
  for (const { name } of (await victim.app.peer.list({})).items as { name: string }[])
    if (name !== "n-a") await victim.app.peer.remove({ name, now: true });
  expect((await shown(victim, "n-a")).state).toBe("established");
  expect(await victim.app.action.perform({ name: "greet", input: "well?" })).toMatchObject({
    ...{ output: "well?", via: "n-a" },
  });
});

const SECRET = pairSecret("bad input");
const ofRaw = (more: object = {}) => ({
  ...{ name: id, node: id, keys: [rawIdentity(id).publicKey], import: everything, export: allOut },
  secrets: [keepSecret("BAD_INPUT_SECRET", SECRET)] as never,
  ...more,
});

function raw(options: Partial<ConstructorParameters<typeof RawPeer>[0]> = {}): RawPeer {
  const one = new RawPeer({
    ...{ id, url: victim.url, node: victim.id, key: victim.key, secret: SECRET },
    ...options,
  });
  raws.push(one);
  return one;
}

/** One that is a peer by now, and what it says in its own time. */
async function proved(more: { limits?: object; import?: RoutePolicy } = {}) {
  await victim.app.peer.add(ofRaw(more));
  const peer = raw();
  const ask = await until(() => peer.link?.ask);
  await complete(victim, id);
  let seq = peer.speaker.session(victim.id)?.sent as number;
  const say = (frame: { type: string; seq?: number }, verb = frame.type): Promise<unknown> => {
    const session = victim.hub.reader.get(peerSessionTable, id);
    const data = { session, frame: { seq: seq++, ...frame } };
    return ask({ resource: "peer", action: verb, data }).catch((thrown: unknown) => thrown);
  };
  const update = (announce: unknown[], withdraw: string[] = []) => say({ type: "update", withdraw, announce } as never);
  return { peer, say, update };
}

function announced(names: readonly string[], change: object = {}, claim: object = {}, signer = id) {
  const { publicKey: key, sign } = rawIdentity(signer);
  const expires = Math.floor(Date.now() / 1000) + 3600;
  const who = { node: signer, domain: signer, key, epoch: 1, expires, ...claim };
  const leaves = names.map((name) => [name, ""] as const);
  return signChunks(leaves, who, sign).map((chunk) => ({
    ...{ path: signer, origin: chunk.claim, leaves: chunk.leaves },
    ...change,
  }));
}

const ways = async (route: string) => (await victim.app.route.show({ route })).paths as ShownRoute[];
const received = async () => (await victim.app.route.list({ peer: id, filtered: true })).items as ShownRoute[];
const turnedAway = (peer: RawPeer) => until(() => peer.events.includes("session"));
const ended = () => until(async () => (await shown(victim, id)).state !== "established");

describe("a handshake", () => {
  test("with a wrong proof: another secret, another key, a changed byte", async () => {
    await victim.app.peer.add(ofRaw());
    const flip = (text: string) => (text.startsWith("A") ? `B${text.slice(1)}` : `A${text.slice(1)}`);
    const changed = (field: "mac" | "signature") => (message: Message) =>
      message.type === "proof" ? { ...message, [field]: flip(message[field]) } : message;
    for (const one of [
      raw({ secret: pairSecret("guessed") }),
      raw({ says: changed("mac") }),
      raw({ says: changed("signature") }),
    ])
      await turnedAway(one);
    await victim.app.peer.configure({ name: id, keys: [rawIdentity("n-somebody").publicKey] });
    await turnedAway(raw());
    expect((await shown(victim, id)).state).not.toBe("established");
  });

  test("that is replayed", async () => {
    await victim.app.peer.add(ofRaw());
    const said: Message[] = [];
    const first = raw({
      says(message) {
        said.push(message);
        return message;
      },
    });
    await until(() => first.events.includes("established"));
    first.close();
    const [hello, proof] = said;
    expect([hello?.type, proof?.type]).toEqual(["open", "proof"]);
    const session = openSession({ url: victim.url });
    const api = session.api as unknown as Record<string, (input: unknown) => Promise<unknown>>;
    await api.challenge?.({ connection: "connectionFromIBGPPeer", hello });
    const scope = api.connectionFromIBGPPeer?.(proof) as unknown as { applyAction(call: object): Promise<unknown> };
    const thrown = await scope.applyAction({ resource: "action", action: "list", data: {} }).catch((one) => one);
    expect(thrown).toMatchObject({ code: "PEER_UNPROVED" });
    session.close();
  });

  test("of another version, and one whose capabilities somebody stripped on the way", async () => {
    await victim.app.peer.add(ofRaw());
    const opening = (change: object) => (message: Message) =>
      (message.type === "open" ? { ...message, ...change } : message) as Message;
    await turnedAway(raw({ says: opening({ versions: [99] }) }));
    await turnedAway(raw({ says: opening({ versions: [99, 1] }) }));
    await turnedAway(raw({ says: opening({ capabilities: [] }) }));
    expect((await shown(victim, id)).state).not.toBe("established");
  });

  test("by a node id that is used twice", async () => {
    const { say } = await proved();
    await turnedAway(raw({ secret: pairSecret("guessed") }));
    expect((await shown(victim, id)).state).toBe("established");
    expect(await say({ type: "keepalive" })).toEqual({});
  });

  test("that begins with an update, or has none", async () => {
    await victim.app.peer.add(ofRaw());
    const update = { type: "update", seq: 0, withdraw: [], announce: [] };
    for (const hello of [update, { type: "proof" }, {}]) {
      const session = openSession({ url: victim.url });
      const api = session.api as unknown as Record<string, (input: unknown) => Promise<unknown>>;
      await api.challenge?.({ connection: "connectionFromIBGPPeer", hello });
      const refused = await api.connectionFromIBGPPeer?.(update)?.catch((thrown: unknown) => thrown);
      expect(refused).toMatchObject({ code: "PEER_UNPROVED" });
      session.close();
    }
  });
});

describe("an update", () => {
  test("after another, to a million announcements: no more is kept than the limit", async () => {
    const many = (from: number) => Array.from({ length: 1000 }, (_, i) => `action:m.${from + i}`);
    const { update } = await proved({ limits: { routes: 100, then: "drop" } });
    for (let from = 0; from < 5000; from += 1000) await update(announced(many(from)));
    expect((await shown(victim, id)).in).toBe(100);
    await victim.app.peer.configure({ name: id, limits: { routes: 50, then: "disable" } });
    await update(announced(many(9000)));
    await ended();
    expect((await shown(victim, id)).in).toBe(0);
  });

  test("with an endless path, our own id in it, or one that begins or ends elsewhere", async () => {
    const { update } = await proved();
    const endless = [id, ...Array.from({ length: 1000 }, (_, i) => `d${i}`), "n-o"].join(" ");
    for (const path of [endless, "n-x n-o", `${id} n-x`, ""])
      await update(announced(["action:o.one"], { path }, {}, "n-o"));
    await update(announced(["action:o.round"], { path: `${id} n-b n-o` }, {}, "n-o"));
    expect((await ways("action:o.one")).filter(({ filtered }) => filtered === undefined)).toEqual([]);
    expect((await ways("action:o.round")).map(({ filtered }) => filtered?.why)).toEqual(["loop"]);
    expect((await shown(victim, id)).state).toBe("established");
  });

  test("of a foreign name, by whomever it is signed; its siblings are taken", async () => {
    const { update } = await proved();
    await update(announced(["action:bank.pay", "action:m.own"]));
    await update(announced(["action:bank.steal"], {}, { node: "n-a", domain: "n-a" }));
    expect(await received()).toMatchObject([
      { route: "action:bank.pay", filtered: { why: "not-the-owner", by: "n-a" } },
      { route: "action:m.own", best: true },
    ]);
  });

  test("of an origin that has expired, holds for too long, or has not signed it", async () => {
    const { update } = await proved();
    const [good] = announced(["action:m.good"]);
    const unsigned = { ...good, origin: { ...good?.origin, signature: undefined } };
    const forged = { ...good, leaves: [["action:m.forged", ""]] };
    const claims = [{ expires: 1_600_000_000 }, { expires: 4_000_000_000 }];
    const timed = claims.flatMap((claim, i) => announced([`action:m.time${i}`], {}, claim));
    await update([unsigned, forged, ...timed, good]);
    expect((await received()).map(({ route }) => route)).toEqual(["action:m.good"]);
  });

  test("that withdraws somebody else's route", async () => {
    const { update } = await proved();
    await update([], ["action:greet", "action:nobody's"]);
    expect(await ways("action:greet")).toMatchObject([{ peer: "n-a", best: true }]);
    expect((await shown(victim, id)).state).toBe("established");
  });

  test("that is half a frame, no frame, or out of its number", async () => {
    const { say } = await proved();
    const half = '{"type":"update","seq":2,"withd';
    const session = victim.hub.reader.get(peerSessionTable, id);
    const ask = raws[0]?.link?.ask as NonNullable<NonNullable<RawPeer["link"]>["ask"]>;
    for (const frame of [half, null, 7, [], { type: "update" }]) {
      const told = await ask({ resource: "peer", action: "keepalive", data: { session, frame } }).catch((one) => one);
      expect(told).toMatchObject({ code: "MESSAGE_INVALID" });
    }
    expect((await shown(victim, id)).state).toBe("established");
    await say({ type: "keepalive", seq: 99 });
    await ended();
    expect((await shown(victim, id)).reason).toContain("message-header-error/not-synchronized");
  });

  test("that is cut off on the wire", async () => {
    const socket = new WebSocket(`${victim.url.replace(/^http/, "ws")}/rpc`);
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const closed = new Promise((resolve) => {
      socket.onclose = resolve;
    });
    socket.send('["push",["pipeline",0,["chall');
    await closed;
  });
});

describe("an invitation", () => {
  const invite = (expires = Date.now() + 60_000) =>
    victim.app.peer.invite({
      ...{ name: id, secretId: secretId(SECRET), expires, import: everything, export: allOut },
      secrets: [keepSecret("BAD_INPUT_SECRET", SECRET)] as never,
    });

  test("that is used twice lets in the first one alone", async () => {
    await invite();
    const first = raw();
    await until(() => first.events.includes("established"));
    await turnedAway(raw({ id: `${id}-second` }));
    expect(await shown(victim, id)).toMatchObject({ state: "established", node: id });
  });

  test("that has expired lets in nobody", async () => {
    let expires = 0;
    // One that is over before the node hears of it is refused.
    await until(() => {
      expires = Date.now() + 50;
      return invite(expires).catch(() => undefined);
    });
    await until(() => Date.now() > expires);
    await turnedAway(raw());
    expect(await shown(victim, id)).toMatchObject({ state: "invited" });
    expect((await faultFrom(victim.app.peer.invite({ ...ofInvite(), name: `${id}-late`, expires: 1 }))).code).toBe(
      "PEER_INVALID",
    );
  });

  test("that is used by another, without its secret, or in the name of a peer that there is", async () => {
    await invite();
    await turnedAway(raw({ secret: pairSecret("guessed") }));
    await turnedAway(raw({ id: "n-a" }));
    expect(await shown(victim, id)).toMatchObject({ state: "invited" });
  });

  const ofInvite = () => ({
    ...{ secretId: secretId(SECRET), import: everything, export: allOut },
    secrets: [keepSecret("BAD_INPUT_SECRET", SECRET)] as never,
  });
});

describe("a peer that answers performs", () => {
  let far: PeerNode;
  let proxy: WireProxy;
  let runs = 0;

  beforeEach(async () => {
    runs = 0;
    const counted = protocol("counted", ({ input }) => {
      runs++;
      return { input };
    });
    far = await startNode({ id: `${id}-far`, protocols: [counted] });
    await far.app.action.register({ name: `far.${id}`, protocol: "counted", timeout: 2 * LongTimers.LONG });
    proxy = new WireProxy(far.url);
    await pair(victim, { ...far, url: proxy.url });
    await complete(victim, far.id);
    await until(async () => (await ways(`action:far.${id}`)).length > 0);
  });
  afterEach(async () => {
    proxy[Symbol.dispose]();
    await far.server.stop();
  });

  const perform = (input: unknown, options = {}) => victim.app.action.perform({ name: `far.${id}`, input }, options);
  const performed = (input: unknown, options = {}): Promise<unknown> =>
    perform(input, options).then(
      ({ output }) => output,
      (thrown: unknown) => (thrown as FaultError).code,
    );
  /** What its answer to a performing becomes. */
  const answering =
    (change: (text: string) => readonly string[]): Passing =>
    (text, back) =>
      back && text.startsWith('["resolve"') && text.includes('"execution"') ? change(text) : [text];
  /** Over another session, if it cost that one. */
  const wellAgain = async () => {
    proxy.passing = (text) => [text];
    await complete(victim, far.id);
    await until(async () => (await performed("again")) !== "ACTION_UNKNOWN");
    expect(await performed("then")).toEqual({ input: "then" });
  };

  test("with the wrong id is believed in nothing", async () => {
    let answered = false;
    proxy.passing = answering((text) => {
      answered = true;
      return [text.replace(/^\["resolve",\d+/, '["resolve",4242')];
    });
    const told = performed("wrong", { deadline: Date.now() + LongTimers.LONG });
    await until(() => answered);
    expect(runs).toBe(1);
    await wellAgain();
    timers.pass();
    expect(await told).toBeOneOf(["DEADLINE_EXCEEDED", "EXECUTION_AMBIGUOUS"]);
  });

  test("late changes nothing of what was told by then", async () => {
    let late = "";
    proxy.passing = answering((text) => {
      late = text;
      return [];
    });
    const performing = performed("late", { deadline: Date.now() + LongTimers.LONG });
    await until(() => late !== "");
    timers.pass();
    const told = await performing;
    expect(told).toBeOneOf(["DEADLINE_EXCEEDED", "EXECUTION_AMBIGUOUS"]);
    const list = async () => JSON.stringify((await victim.app.execution.list({ action: `far.${id}` })).items);
    const before = await list();
    proxy.passing = (text) => [text];
    proxy.say(late);
    expect(await performed("then")).toEqual({ input: "then" });
    const now = JSON.parse(await list()) as { output?: unknown }[];
    expect(JSON.stringify(now.slice(1))).toBe(before);
    expect(runs).toBe(2);
  });

  test("twice is heard once", async () => {
    proxy.passing = answering((text) => [text, text.replace('"output":{', '"output":{"second":1,')]);
    expect(await performed("twice")).toEqual({ input: "twice" });
    expect(runs).toBe(1);
    await wellAgain();
  });

  test("with a gigabyte is cut off before it is read", async () => {
    // Of more than a frame may have nobody looks at how much it is.
    const much = "a".repeat(16 * 1024 * 1024);
    proxy.passing = answering((text) => [text.replace('"output":{', `"output":{"more":"${much}",`)]);
    expect(await performed("much")).toBe("EXECUTION_AMBIGUOUS");
    expect(runs).toBe(1);
    await wellAgain();
  });
});
