// Logs that are witnessed, by real nodes: one that grows is cosigned, one that was forked or rewound is found, and its entry named; what
// it finds ends nothing else.

import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  keyName,
  openNote,
  parseCheckpoint,
  restoreLog,
  verifierOf,
  verifyCheckpoint,
  verifyCosignatures,
  verifyReceipt,
  witnessKeyOf,
} from "@capstan/orchestrator";
import { faultFrom } from "../../hub.fixture.ts";
import { allOut, complete, everything, keepSecret, type PeerNode, pair, pairSecret } from "../peers.fixture.ts";
import { alerted, caughtUp, copyLog, peered, performs, Site, until, witnessed } from "./witness.fixture.ts";

const site = new Site();
afterEach(() => site.close());

const verifier = ({ id, key }: PeerNode) => verifierOf({ name: keyName(id), publicKey: Buffer.from(key, "base64url") });

/** A log in files, with a neighbour that has cosigned all of it. */
async function watched() {
  const directory = site.directory();
  const kept = site.directory();
  const osaka = await site.start("osaka", directory);
  await osaka.app.action.register({ name: "greet", protocol: "echo" });
  const berlin = await site.start("n-berlin");
  await peered(osaka, berlin);
  await performs(osaka, 3);
  await caughtUp(berlin, osaka);
  return { directory, kept, osaka, berlin };
}

describe("a log that grows", () => {
  test("is cosigned by its neighbours, and its receipts are by as many as one asks for", async () => {
    const { osaka, berlin } = await watched();
    const { size, checkpoint = "" } = await caughtUp(berlin, osaka);
    expect(await verifyCheckpoint(checkpoint, [verifier(osaka)])).toMatchObject({ size });
    const [cosignature] = await verifyCosignatures(checkpoint, [witnessKeyOf(verifier(berlin))]);
    expect(Math.abs((cosignature?.time ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    // The other way round too.
    await until(async () => (await witnessed(osaka, berlin.id)).state === "cosigned");

    await until(async () => (await witnessed(osaka, berlin.id)).ours?.size === size);
    const receipt = await osaka.app.log.receipt({ entry: 3, witnesses: 1 });
    const verified = await verifyReceipt(receipt, [verifier(osaka)], [witnessKeyOf(verifier(berlin))]);
    expect(verified.cosignatures).toHaveLength(1);
    expect(await faultFrom(osaka.app.log.receipt({ entry: 3, witnesses: 2 }))).toMatchObject({
      ...{ code: "WITNESS_PENDING", details: { entry: 3, witnesses: 2, cosigned: 1 } },
    });
    // Without its being asked for, nobody else's signature is in it.
    expect(openNote((await osaka.app.log.receipt({ entry: 3 })).checkpoint).signatures).toHaveLength(1);
  });

  test("and is idle is left alone: two witnesses give each other no news", async () => {
    const { osaka, berlin } = await watched();
    await caughtUp(osaka, berlin);
    const news = async () =>
      [
        ...[(await osaka.app.log.head()).entries, (await berlin.app.log.head()).entries],
        osaka.messages.filter((one) => one.includes("peer.keepalive")).length,
      ].join();
    // What they told each other before may still be on its way; what answers news with news never comes to rest.
    for (let [before, now] = ["", await news()]; before !== now; ) {
      await Bun.sleep(5 * 20);
      [before, now] = [now, await news()];
    }
  });
});

describe("a log that was put back to what it was", () => {
  test("is found where it is shorter: the first entry that is another, with both notes as evidence", async () => {
    const { directory, kept, osaka, berlin } = await watched();
    await site.stop(osaka);
    copyLog(directory, kept);
    const longer = await site.start("osaka", directory);
    await complete(longer, berlin.id);
    const was = (await longer.app.log.head()).entries;
    await performs(longer, 12);
    const { size = 0 } = await caughtUp(berlin, longer);
    await site.stop(longer);

    copyLog(kept, directory);
    const again = await site.start("osaka", directory);
    const found = await alerted(berlin, osaka.id);
    expect(found).toMatchObject({ state: "rewound", why: expect.stringContaining(`had ${size} in epoch`) });
    // What the copy had is as it was; what its start wrote is not what the other start wrote.
    const first = (found.entry ?? 0) as number;
    expect(first).toBeGreaterThan(was - 10);
    expect(first).toBeLessThanOrEqual(was);
    const [held, shown] = [found.evidence?.held ?? "", found.evidence?.shown ?? ""];
    for (const note of [held, shown]) await verifyCheckpoint(note, [verifier(osaka)]);
    const roots = [held, shown].map((note) => parseCheckpoint(openNote(note).text));
    expect(roots[0]?.size).toBe(size);
    expect(roots[1]?.size).toBeLessThan(size);

    // Recorded once, and explained; the session stays, and so does what runs over it.
    expect(berlin.messages.filter((one) => one.includes("witness.alert"))).toHaveLength(1);
    expect(await berlin.app.log.explain({ id: found.message ?? "" })).toMatchObject({ message: "witness.alert" });
    expect(berlin.lines.filter((line) => line.startsWith("error a peer's log was rewound"))).toHaveLength(1);
    await complete(again, berlin.id);
    await performs(again, 3);
    expect(await berlin.app.action.perform({ name: "greet", input: 7 })).toMatchObject({ output: 7, via: osaka.id });
    await until(async () => (await again.app.log.head()).entries > (roots[1]?.size ?? 0));
    expect((await witnessed(berlin, osaka.id)).size).toBe(size);
    expect(berlin.messages.filter((one) => one.includes("witness.alert"))).toHaveLength(1);

    // An operator takes note: it is begun anew, and cosigned again.
    await berlin.app.witness.accept({ name: osaka.id });
    const { size: now = 0 } = await caughtUp(berlin, again);
    expect(now).toBeLessThan(size);
  });

  test("is found where it is longer by now: forked at the first entry that is another", async () => {
    const { directory, kept, osaka, berlin } = await watched();
    await site.stop(osaka);
    copyLog(directory, kept);
    const one = await site.start("osaka", directory);
    await complete(one, berlin.id);
    const { size = 0 } = await caughtUp(berlin, one);
    const { checkpoint: before } = await witnessed(berlin, osaka.id);
    // Nobody hears of it before it is longer than it was.
    await berlin.app.peer.stop({ name: osaka.id });
    await site.stop(one);
    copyLog(kept, directory);
    const other = await site.start("osaka", directory);
    const began = (await other.app.log.list({ message: "pipeline.adopt", limit: 1 })).items[0]?.entry ?? 0;
    await performs(other, 8);
    await berlin.app.peer.start({ name: osaka.id });
    const found = await alerted(berlin, osaka.id);
    expect(found.state).toBe("forked");
    expect(found.size).toBe(size);
    expect(found.entry).toBeLessThanOrEqual(size);
    expect(found.entry).toBeGreaterThanOrEqual(Math.min(began, size));
    expect((await witnessed(berlin, osaka.id)).checkpoint).toBe(before as string);
    // What it is shown from now on changes nothing, and is never cosigned.
    await performs(other, 3);
    expect((await witnessed(berlin, osaka.id)).size).toBe(size);
  });

  test("or begun anew altogether: another log under the same key is no longer one", async () => {
    const { directory, osaka, berlin } = await watched();
    await site.stop(osaka);
    copyLog(site.directory(), directory);
    const another = await site.start("osaka", directory);
    await another.app.peer.add({
      ...{
        name: berlin.id,
        node: berlin.id,
        keys: [berlin.key],
        import: everything,
        export: allOut,
        address: berlin.url,
      },
      secrets: [keepSecret("WITNESS_AGAIN", pairSecret(`${osaka.id} ${berlin.id}`))] as never,
    });
    expect(await alerted(berlin, osaka.id)).toMatchObject({ state: "replaced" });
  });
});

describe("a restore", () => {
  test("is declared in every checkpoint after it: cosigned, told, and no alarm", async () => {
    const { directory, kept, osaka, berlin } = await watched();
    await site.stop(osaka);
    copyLog(directory, kept);
    const longer = await site.start("osaka", directory);
    await performs(longer, 8);
    const { size = 0 } = await caughtUp(berlin, longer);
    await site.stop(longer);
    const { epoch } = await restoreLog({
      ...{
        file: join(kept, "log.db"),
        log: join(directory, "log.db"),
        keys: undefined,
        replace: true,
        now: Date.now(),
      },
    });
    const restored = await site.start("osaka", directory);
    const shown = await until(async () => {
      const one = await caughtUp(berlin, restored);
      return (one.size ?? size) < size ? one : undefined;
    });
    expect(shown.state).toBe("cosigned");
    expect(berlin.messages.filter((one) => one.includes("witness.alert"))).toEqual([]);
    const told = berlin.lines.filter((line) => line.startsWith("warn a peer's log was restored from a backup"));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`"epoch":${epoch}`);
    // A receipt of before it is not given as one of after it: the entries are others.
    await until(async () => (await witnessed(restored, berlin.id)).ours?.size === shown.size);
    const receipt = await restored.app.log.receipt({ entry: 3, witnesses: 1 });
    expect((await verifyReceipt(receipt, [verifier(osaka)])).checkpoint.size).toBe(shown.size as number);
  });
});

describe("a start of the witness", () => {
  async function withFiles() {
    const [directory, theirs] = [site.directory(), site.directory()];
    const osaka = await site.start("osaka", directory);
    const berlin = await site.start("berlin", theirs);
    await peered(osaka, berlin);
    await performs(osaka, 0);
    await caughtUp(berlin, osaka);
    return { directory, theirs, osaka, berlin };
  }

  test("forgets nothing: what was cosigned is held against what comes", async () => {
    const { directory, theirs, osaka, berlin } = await withFiles();
    const kept = site.directory();
    await site.stop(osaka);
    copyLog(directory, kept);
    const longer = await site.start("osaka", directory);
    await longer.app.action.register({ name: "greet", protocol: "echo" });
    await performs(longer, 12);
    const { size } = await caughtUp(berlin, longer);
    await site.stop(longer);
    await site.stop(berlin);

    copyLog(kept, directory);
    const again = await startAt(theirs, berlin);
    expect((await until(async () => (await witnessed(again, osaka.id)).size === size)).valueOf()).toBe(true);
    await site.start("osaka", directory);
    const found = await alerted(again, osaka.id);
    expect(found).toMatchObject({ state: "rewound", size });
    // And the finding is not forgotten by the next one, nor found twice.
    await site.stop(again);
    const third = await startAt(theirs, berlin);
    expect(await alerted(third, osaka.id)).toMatchObject({ state: "rewound", message: found.message as string });
    expect(third.messages.filter((one) => one.includes("witness.alert"))).toEqual([]);
  });

  test("of the witnessed node keeps the cosignatures that it was given, and tells no other", async () => {
    const { directory, osaka, berlin } = await withFiles();
    await until(async () => (await witnessed(osaka, berlin.id)).ours !== undefined);
    await site.stop(berlin);
    await site.stop(osaka);
    const own = join(directory, "witness", "own.json");
    const notes = JSON.parse(readFileSync(own, "utf8")) as string[];
    const again = await site.start("osaka", directory);
    const receipt = await until(() => again.app.log.receipt({ entry: 2, witnesses: 1 }).catch(() => undefined));
    const key = witnessKeyOf(verifier(berlin));
    expect((await verifyReceipt(receipt, [verifier(osaka)], [key])).cosignatures).toHaveLength(1);
    await site.stop(again);
    // Cosignatures that somebody wrote into the file are nobody's.
    const forged = notes.map((note) =>
      note.replace(/(— capstan\/n-\S+ \S{30})(.)(\S*\n)$/, (_, a, b, c) => a + (b === "A" ? "B" : "A") + c),
    );
    expect(forged).not.toEqual(notes);
    for (const text of [JSON.stringify(forged), "nonsense", '{"a":1}']) {
      writeFileSync(own, text);
      const one = await site.start("osaka", directory);
      expect(await faultFrom(one.app.log.receipt({ entry: 2, witnesses: 1 }))).toMatchObject({
        code: "WITNESS_PENDING",
      });
      await site.stop(one);
    }
  });

  async function startAt(directory: string, before: PeerNode): Promise<PeerNode> {
    return site.start("berlin", directory, new URL(before.url).host);
  }
});

test("nothing is cosigned that is not on the disk: a witness that cannot write says so, and goes on", async () => {
  const theirs = site.directory();
  const osaka = await site.start("n-osaka");
  const berlin = await site.start("berlin", theirs);
  // In the place of its directory there is a file.
  rmSync(join(theirs, "witness"), { recursive: true, force: true });
  writeFileSync(join(theirs, "witness"), "");
  await osaka.app.action.register({ name: "greet", protocol: "echo" });
  await peered(osaka, berlin);
  const shown = await until(async () => {
    const one = await witnessed(berlin, osaka.id);
    return one.state === "unproved" ? one : undefined;
  });
  expect(shown.why).toContain("witness");
  expect((await witnessed(osaka, berlin.id)).ours).toBeUndefined();
  expect(await berlin.app.action.perform({ name: "greet", input: 1 })).toMatchObject({ output: 1 });
  // It is tried again, though there is nothing new to see.
  rmSync(join(theirs, "witness"));
  await caughtUp(berlin, osaka);
});

test("a log that shows its neighbours different things is found by whoever it shows both, and by who compares", async () => {
  const { directory, kept, osaka, berlin } = await watched();
  const lima = await site.start("n-lima");
  await site.stop(osaka);
  copyLog(directory, kept);
  // Berlin is shown one, Lima the other: each finds what it sees sound.
  const one = await site.start("osaka", directory);
  await performs(one, 2);
  const atBerlin = await caughtUp(berlin, one);
  await site.stop(one);
  await berlin.app.peer.stop({ name: osaka.id });
  copyLog(kept, directory);
  const other = await site.start("osaka", directory);
  // Not until both have all: it waits for Berlin's routes, which do not come.
  await pair(other, lima);
  await performs(other, 8);
  const atLima = await caughtUp(lima, other);
  expect([atBerlin.state, atLima.state]).toEqual(["cosigned", "cosigned"]);
  // Two signed notes that no proof connects: whoever has both asks the log, and it cannot.
  const { size: small = 0 } = atBerlin;
  const { fromRoot } = await other.app.log.proof({ from: small });
  expect(fromRoot).not.toBe(rootIn(atBerlin.checkpoint));
  // Once it is Berlin's turn again, Berlin finds it.
  await berlin.app.peer.start({ name: osaka.id });
  expect(await alerted(berlin, osaka.id)).toMatchObject({ state: "forked" });
  expect((await witnessed(lima, osaka.id)).state).toBe("cosigned");
});

function rootIn(note = ""): string {
  return Buffer.from(parseCheckpoint(openNote(note).text).root).toString("base64");
}
