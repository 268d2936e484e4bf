// What a hostile or broken peer says, said to a speaker: each of it costs that peer, at most its session, and nobody else.
// b listens; m, its peer, is the one that misbehaves; a is honest, and c learns from b.

import { expect, test } from "bun:test";
import { signChunks } from "../origin/sign.ts";
import type { Announcement, Leaf } from "../wire/message.ts";
import { wordsOf } from "../wire/words.ts";
import { identity, limits, owner, Speakers, timing } from "./speakers.fixture.ts";

const HONEST = "action:greet";

function network(change: Parameters<Speakers["peer"]>[2] = {}): Speakers {
  const speakers = new Speakers();
  const owners = [owner("a", "action:greet", "action:bank.*"), owner("m", "action:m.*")];
  for (const node of ["a", "b", "c", "m"]) speakers.start(node, { owners });
  speakers.join("a", "b");
  speakers.join("b", "c");
  speakers.peer("m", "b");
  speakers.peer("b", "m", change);
  speakers.run();
  speakers.originate("a", HONEST);
  return speakers;
}

/** Everybody else is as before. */
function unharmed(speakers: Speakers): void {
  expect(speakers.established("b", "a") && speakers.established("b", "c")).toBe(true);
  expect(speakers.way("c", HONEST)).toBe("b: b a");
}

function notified(speakers: Speakers): string | undefined {
  const said = speakers.sent.filter(({ from, to, type }) => from === "b" && to === "m" && type === "notification");
  const last = said.at(-1);
  return last && `${JSON.parse(last.text).code}/${JSON.parse(last.text).subcode}`;
}

function announce(
  leaves: readonly Leaf[],
  change: Partial<Announcement> = {},
  signer = "m",
  claim: object = {},
): Announcement {
  const { publicKey, sign } = identity(signer);
  const who = { node: signer, domain: signer, key: publicKey, epoch: 1, expires: 1_700_050_000, chunkSize: 256 };
  const [chunk] = signChunks(leaves, { ...who, ...claim }, sign);
  if (chunk === undefined) throw new Error("nothing to sign");
  return { path: "m", origin: chunk.claim, leaves: [...chunk.leaves] as Announcement["leaves"], ...change };
}

const update = (...announcements: unknown[]) => ({ type: "update", withdraw: [], announce: announcements });

test("updates before open, and before the proof", () => {
  const speakers = network();
  for (const first of [update(), { type: "keepalive" }, { type: "proof", secret: "x" }, 7, null]) {
    const effects = speakers.tell("b", { type: "accepted", connection: `early ${JSON.stringify(first)}` });
    expect(effects).toEqual([]);
    const text = JSON.stringify(typeof first === "object" && first !== null ? { seq: 0, ...first } : first);
    speakers.tell("b", { type: "received-text", connection: `early ${JSON.stringify(first)}`, text });
  }
  const refused = speakers.events.filter(({ event }) => event.kind === "refused");
  expect(refused.length).toBe(5);
  unharmed(speakers);
});

test("half a frame ends the session that it came on", () => {
  const speakers = network();
  const connection = speakers.speaker("b").session("m")?.connection as string;
  speakers.tell("b", { type: "received-text", connection, text: '{"type":"update","seq":2,"withd' });
  speakers.run();
  expect(notified(speakers)).toBe("message-header-error/bad-message");
  unharmed(speakers);
});

test("a frame larger than any is refused unread", () => {
  const speakers = network();
  const connection = speakers.speaker("b").session("m")?.connection as string;
  speakers.tell("b", { type: "received-text", connection, text: " ".repeat(5 * 1024 * 1024) });
  expect(notified(speakers)).toBe("message-header-error/bad-message");
  unharmed(speakers);
});

test("a message that is lost, doubled or out of order ends the session, and the next one has the whole table", () => {
  for (const off of [-2, -1, 1, 2, 1e12]) {
    const speakers = network();
    speakers.originate("m", "action:m.own");
    const seq = (speakers.speaker("b").session("m")?.received as number) + off;
    speakers.inject("m", "b", { type: "keepalive", seq });
    expect(notified(speakers)).toBe("message-header-error/not-synchronized");
    speakers.pass(60_000);
    expect(speakers.way("b", "action:m.own")).toBe("m: m");
    unharmed(speakers);
  }
});

test("a foreign name is not taken, by whomever it is signed, and its siblings are", () => {
  const speakers = network();
  speakers.inject(
    "m",
    "b",
    update(
      announce([
        ["action:bank.pay", ""],
        ["action:m.own", ""],
      ]),
    ),
  );
  expect([speakers.way("b", "action:bank.pay"), speakers.way("b", "action:m.own")]).toEqual([undefined, "m: m"]);
  expect(speakers.speaker("b").rib.pathsOf("action:bank.pay")[0]?.filtered).toEqual({ why: "not-the-owner", by: "a" });
  unharmed(speakers);
});

test("the owner's id with another key, another's signature, an altered leaf, none at all", () => {
  const honest = announce([["action:bank.pay", ""]], { path: "m a" }, "a");
  const asOwner = announce([["action:bank.pay", ""]], { path: "m a" }, "m", { node: "a", domain: "a" });
  const lies: unknown[] = [
    asOwner,
    { ...honest, origin: { ...honest.origin, signature: asOwner.origin.signature } },
    { ...honest, leaves: [["action:bank.steal", ""]] },
    { ...honest, origin: { ...honest.origin, expires: honest.origin.expires + 1 } },
    { ...honest, origin: { ...honest.origin, epoch: 9 } },
    { ...honest, origin: { ...honest.origin, signature: undefined } },
  ];
  for (const lie of lies) {
    const speakers = network();
    speakers.inject("m", "b", update(lie, announce([["action:m.own", ""]])));
    expect([...speakers.speaker("b").rib.names()].filter((name) => name.startsWith("action:bank"))).toEqual([]);
    expect(speakers.way("b", "action:m.own")).toBe("m: m");
    expect(speakers.events.some(({ event }) => event.kind === "malformed" && event.peer === "m")).toBe(true);
    unharmed(speakers);
  }
});

test("an origin's signature that has expired, that holds for too long, or that is of an earlier incarnation", () => {
  for (const claim of [{ expires: 1_690_000_000 }, { expires: 1_990_000_000 }, { epoch: 0 }]) {
    const speakers = network();
    speakers.inject("m", "b", update(announce([["action:bank.pay", ""]], { path: "m a" }, "a", claim)));
    expect(speakers.way("b", "action:bank.pay")).toBeUndefined();
    unharmed(speakers);
  }
});

test("our own id in a path", () => {
  const speakers = network();
  speakers.inject("m", "b", update(announce([["action:bank.pay", ""]], { path: "m b a" }, "a")));
  expect(speakers.speaker("b").rib.pathsOf("action:bank.pay")[0]?.filtered?.why).toBe("loop");
  expect(speakers.way("c", "action:bank.pay")).toBeUndefined();
  unharmed(speakers);
});

test("an endless path, and one that does not begin with its sender or end with its origin", () => {
  const endless = wordsOf(["m", ...Array.from({ length: 1_000 }, (_, i) => `d${i}`), "a"]);
  for (const path of [endless, "x a", "m x", ""]) {
    const speakers = network();
    speakers.inject("m", "b", update(announce([["action:bank.pay", ""]], { path }, "a")));
    expect(speakers.way("b", "action:bank.pay")).toBeUndefined();
    unharmed(speakers);
  }
});

test("a withdrawal of somebody else's route", () => {
  const speakers = network();
  speakers.inject("m", "b", { type: "update", withdraw: [HONEST], announce: [] });
  expect(speakers.established("b", "m")).toBe(true);
  unharmed(speakers);
});

test("a million announcements: no more are kept than the limit, and the session ends or stays as it says", () => {
  const thousand = (from: number) =>
    update(
      ...[0, 1, 2, 3].map((part) =>
        announce(
          Array.from(
            { length: 250 },
            (_, i): Leaf => [`action:m.${String(from + part * 250 + i).padStart(7, "0")}`, ""],
          ),
        ),
      ),
    );
  for (const then of ["drop", "disable"] as const) {
    const routes = { routes: 5_000, warnAt: 0.75, then, restartAfter: 60_000 };
    const speakers = network({ limits: { ...limits, routes } });
    for (let from = 0; from < 1_000_000 && speakers.established("b", "m"); from += 1_000) {
      // The limit is long reached; what comes after it must cost no more.
      if (from === 20_000) break;
      speakers.inject("m", "b", thousand(from));
    }
    expect([...speakers.speaker("b").rib.names()].length).toBe(then === "drop" ? 5_001 : 1);
    expect(speakers.established("b", "m")).toBe(then === "drop");
    unharmed(speakers);
  }
});

test("more routes in one update than the limit", () => {
  const speakers = network({ limits: { ...limits, updateRoutes: 10 } });
  speakers.inject("m", "b", update(announce(Array.from({ length: 11 }, (_, i): Leaf => [`action:m.${i + 10}`, ""]))));
  expect(notified(speakers)).toBe("update-error/too-large");
  unharmed(speakers);
});

test("a malformed route is treated as withdrawn; its siblings and the session live (RFC 7606)", () => {
  const speakers = network();
  speakers.inject(
    "m",
    "b",
    update(
      announce([
        ["action:m.one", ""],
        ["action:m.two", ""],
      ]),
    ),
  );
  const bad = { ...announce([["action:m.one", ""]]), localPreference: "high" };
  speakers.inject("m", "b", update(bad, announce([["action:m.three", ""]])));
  const known = ["action:m.one", "action:m.two", "action:m.three"].map((name) => speakers.way("b", name));
  expect(known).toEqual([undefined, "m: m", "m: m"]);
  unharmed(speakers);
});

test("a node id that is used twice: whoever has not the key and the secret ends nobody's session", () => {
  const speakers = network();
  const before = speakers.speaker("b").session("a")?.connection;
  const open = JSON.parse(speakers.sent.find(({ from, type }) => from === "a" && type === "open")?.text as string);
  for (let i = 0; i < 100; i++) {
    speakers.tell("b", { type: "accepted", connection: `twin ${i}` });
    speakers.tell("b", { type: "received", connection: `twin ${i}`, value: { ...open, epoch: 99 } });
    const forged = { type: "proof", seq: 1, secret: open.secrets[0], mac: open.nonce, signature: `${"A".repeat(85)}A` };
    speakers.tell("b", { type: "received", connection: `twin ${i}`, value: forged });
  }
  speakers.pass(30_000);
  expect(speakers.speaker("b").session("a")?.connection).toBe(before as string);
  unharmed(speakers);
});

test("a replayed handshake", () => {
  const speakers = network();
  const [open, proof] = ["open", "proof"].map((wanted) =>
    JSON.parse(
      speakers.sent.find(({ from, to, type }) => from === "a" && to === "b" && type === wanted)?.text as string,
    ),
  );
  speakers.sent.length = 0;
  speakers.tell("b", { type: "accepted", connection: "replay" });
  speakers.tell("b", { type: "received", connection: "replay", value: open });
  const effects = speakers.tell("b", { type: "received", connection: "replay", value: proof });
  const said = effects.find((effect) => effect.type === "send");
  expect(said).toMatchObject({
    message: { type: "notification", code: "open-error", subcode: "authentication-failure" },
  });
  unharmed(speakers);
});

test("a route that flaps a hundred times a minute is left out, and is back when it holds", () => {
  const speakers = network();
  speakers.sent.length = 0;
  for (let i = 0; i < 100; i++) {
    speakers.pass(300);
    speakers.withdraw("m", "action:m.flap");
    speakers.pass(300);
    speakers.originate("m", "action:m.flap");
  }
  expect(speakers.speaker("b").rib.pathsOf("action:m.flap")[0]?.filtered?.why).toBe("damped");
  expect(speakers.sent.filter(({ to, type }) => to === "c" && type === "update").length).toBeLessThan(20);
  unharmed(speakers);
  speakers.pass(600_000);
  expect(speakers.way("c", "action:m.flap")).toBe("b: b m");
});

test("a session that flaps a hundred times a minute is let in ever more rarely", () => {
  const speakers = network();
  const established = () =>
    speakers.events.filter(({ at, event }) => at === "b" && event.kind === "established" && event.peer === "m");
  const before = established().length;
  for (let i = 0; i < 100; i++) {
    speakers.crash("m");
    speakers.start("m");
    speakers.peer("m", "b", { address: "b" });
    speakers.pass(600);
  }
  expect(established().length - before).toBeLessThan(15);
  unharmed(speakers);
});

test("whoever asks for the table again and again is sent it now and then, and not for nothing", () => {
  const speakers = network();
  speakers.sent.length = 0;
  const tables = () =>
    speakers.sent.filter(({ from, to, type }) => from === "b" && to === "m" && type === "end-of-table").length;
  for (let i = 0; i < 100; i++) {
    speakers.tell("m", { type: "refresh-peer", node: "b" });
    speakers.pass(10);
  }
  expect(tables()).toBe(1);
  speakers.pass(20_000);
  expect(tables()).toBe(2);
  unharmed(speakers);
});

test("a peer that asks for its routes to be kept for an hour is kept for ten minutes", () => {
  const speakers = new Speakers();
  speakers.start("b");
  speakers.start("m", { timing: { ...timing, restartTime: 3_600_000 } });
  speakers.join("b", "m");
  speakers.originate("m", "action:m.own");
  speakers.crash("m");
  speakers.pass(590_000);
  expect(speakers.way("b", "action:m.own")).toBe("m: m");
  speakers.pass(20_000);
  expect(speakers.way("b", "action:m.own")).toBeUndefined();
});
