// An administrator without a credential: whoever has the node's files gets another, whether the node runs or not, and nobody
// else does.

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AnyPlugin,
  answerLocally,
  createOrchestrator,
  type FaultError,
  type Orchestrator,
  openNode,
  type Signer,
  signNote,
  sqliteLog,
} from "@capstan/orchestrator";
import { Clock, faultFrom, NO_SESSION, scopeOf } from "../hub.fixture.ts";
import { ledger } from "../ledger/ledger.ts";
import { auth } from "./auth.ts";
import { connectionFromCli } from "./connection.ts";
import { credentialDigest } from "./credential.ts";
import { localRequests, recoverOffline, requestRecovery } from "./recover.ts";
import { credentialTable, grantTable } from "./schema.ts";

const home = mkdtempSync(join(tmpdir(), "capstan-recover-"));
afterAll(() => rmSync(home, { recursive: true }));

const plugins: readonly AnyPlugin[] = [auth(), ledger()];
const token = (directory: string) => readFileSync(join(directory, "admin.token"), "utf8").trim();
const verified = (node: Orchestrator, credential: string) =>
  connectionFromCli.verify(credential, node.reader, NO_SESSION);

/** A node on files, which looks for requests when its clock is moved. */
async function running(directory = mkdtempSync(join(home, "node-"))) {
  const node = await openNode({ directory });
  const clock = new Clock();
  const warnings: string[] = [];
  const note = (fields: object, text: string) => void warnings.push(`${text}: ${JSON.stringify(fields)}`);
  const orchestrator = (await createOrchestrator({
    plugins: plugins as never,
    ...{ node, signer: node.signer, log: sqliteLog(join(directory, "log.db")) },
    ...{ now: clock.now, timers: clock },
  })) as Orchestrator;
  const logger = { debug() {}, info() {}, warn: note, error: note };
  const stopAnswering = answerLocally({
    ...{ orchestrator, directory, requests: localRequests, timers: clock, now: clock.now, logger },
  });
  const stop = async () => {
    await stopAnswering();
    await orchestrator.stop();
  };
  const admin = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  const send = (resource: string, action: string, data: object) => admin.applyAction({ resource, action, data }, {});
  return { directory, node, clock, warnings, orchestrator, stop, send };
}
type Running = Awaited<ReturnType<typeof running>>;

/** Asks on a clock that stands still for whoever waits, and lets the node look. */
function asked({ directory, clock }: Running, limitMs = 60_000) {
  return requestRecovery({
    ...{ directory, now: clock.now, limitMs },
    timers: {
      after(_ms, callback) {
        clock.advance(1000);
        const timer = setTimeout(callback, 1);
        return () => clearTimeout(timer);
      },
    },
  });
}

const ended = (node: Orchestrator) =>
  [...node.reader.rows(credentialTable)].map(([digest, { grant }]) => `${grant} ${digest}`).sort();

describe("of a node that runs", () => {
  test("another credential is good at once, and the one before is not", async () => {
    const node = await running();
    const before = token(node.directory);
    await scopeOf(node.orchestrator as never, { principal: "admin", grant: "g-1" }).grant.seal({
      credential: credentialDigest("a sealed string"),
    });
    await node.send("grant", "create", { principal: "bob", allow: ["*"], credential: credentialDigest("bob's own") });
    expect(await asked(node)).toEqual({ principal: "admin", grant: "g-1", file: join(node.directory, "admin.token") });
    const after = token(node.directory);
    expect(await verified(node.orchestrator, after)).toEqual({ principal: "admin", grant: "g-1" });
    for (const old of [before, "a sealed string"])
      expect(await verified(node.orchestrator, old)).toMatchObject({ code: "CREDENTIAL_INVALID" });
    expect(await verified(node.orchestrator, "bob's own")).toMatchObject({ principal: "bob" });
    expect(statSync(join(node.directory, "admin.token")).mode & 0o777).toBe(0o600);
    expect(readdirSync(node.directory).filter((name) => /recover|token\../.test(name))).toEqual([]);
    const [last] = await node.orchestrator.log.read(node.orchestrator.log.head, { limit: 1 });
    expect(last?.text).toContain('"message":"admin.recover"');
    expect(last?.text).not.toContain(after);
    expect(node.warnings).toEqual(['a local request was granted: {"request":"recover"}']);
    await node.stop();
    const again = await running(node.directory);
    expect(await verified(again.orchestrator, after)).toEqual({ principal: "admin", grant: "g-1" });
    await again.stop();
  });

  test("a root grant that was revoked stays so: there is a new one; and of an administrator who was revoked, too", async () => {
    const node = await running();
    await node.send("grant", "revoke", { grant: "g-1" });
    expect(await asked(node)).toMatchObject({ principal: "admin", grant: "g-2" });
    expect(await asked(node)).toMatchObject({ principal: "admin", grant: "g-2" });
    await node.send("principal", "revoke", { name: "admin" });
    expect(await asked(node)).toMatchObject({ principal: "admin-g-3", grant: "g-3" });
    expect(await verified(node.orchestrator, token(node.directory))).toEqual({ principal: "admin-g-3", grant: "g-3" });
    expect(node.orchestrator.reader.get(grantTable, "g-1")?.revoked).toBeNumber();
    await node.stop();
  });

  test("is not asked for by any scope", async () => {
    const node = await running();
    const data = { credential: credentialDigest("x".repeat(32)) };
    expect(await faultFrom(node.send("admin", "recover", data))).toMatchObject({ code: "MESSAGE_INTERNAL" });
    await node.stop();
  });

  describe("a request is not taken", () => {
    const NONCE = "n".repeat(22);
    const at = (node: Running, ms = 0) => node.clock.now() + ms;
    const text = (node: Running, over: Partial<Record<"name" | "node" | "at" | "data", string>> = {}) =>
      [
        `capstan request ${over.name ?? "recover"}`,
        over.node ?? node.node.signer.name,
        `at ${over.at ?? at(node)}`,
        `nonce ${NONCE}`,
        `${over.data ?? JSON.stringify({ credential: credentialDigest("y".repeat(32)) })}\n`,
      ].join("\n");

    async function answered(node: Running): Promise<string> {
      for (let turn = 0; !existsSync(join(node.directory, "recover.done")); turn++) {
        // The node looks again a second after it is done with what it answered last.
        if (turn % 1000 === 0 && turn < 10_000) node.clock.advance(1000);
        if (turn > 1_000_000) throw new Error(`no answer: ${node.warnings.at(-1)}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { nonce, error, data } = JSON.parse(readFileSync(join(node.directory, "recover.done"), "utf8"));
      rmSync(join(node.directory, "recover.done"));
      expect(existsSync(join(node.directory, "recover.request"))).toBe(false);
      return error === undefined ? `done ${data.grant}` : `${nonce === NONCE} ${(error as FaultError).code}`;
    }

    async function put(node: Running, note: string, mode = 0o600): Promise<string> {
      const path = join(node.directory, "recover.request");
      writeFileSync(path, note, { mode });
      chmodSync(path, mode);
      return answered(node);
    }

    test("that another key signed, that was altered, or is no request", async () => {
      const node = await running();
      const before = ended(node.orchestrator);
      const other = (await openNode({ directory: mkdtempSync(join(home, "other-")) })).signer;
      const impostor: Signer = { ...other, name: node.node.signer.name };
      const good = await signNote(text(node), node.node.signer);
      expect(await put(node, await signNote(text(node), impostor))).toBe("true SIGNATURE_INVALID");
      expect(await put(node, good.replace(/"sha256-./, '"sha256-_'))).toBe("true SIGNATURE_INVALID");
      expect(await put(node, text(node))).toBe("true CHECKPOINT_INVALID");
      expect(await put(node, "")).toBe("false CHECKPOINT_INVALID");
      const sign = (over: Parameters<typeof text>[1]) => signNote(text(node, over), node.node.signer);
      expect(await put(node, await sign({ name: "rotate" }))).toBe("true REQUEST_INVALID");
      expect(await put(node, await sign({ node: "capstan/n-00000000" }))).toBe("true REQUEST_INVALID");
      expect(await put(node, await sign({ data: '{"credential":"secret"}' }))).toBe("true MESSAGE_INVALID");
      expect(ended(node.orchestrator)).toEqual(before);
      expect(await put(node, good)).toBe("done g-1");
      await node.stop();
    });

    test("of more than a minute ago, or from now", async () => {
      const node = await running();
      const sign = (ms: number) => signNote(text(node, { at: `${at(node, ms)}` }), node.node.signer);
      for (const ms of [-62_000, 62_000]) expect(await put(node, await sign(ms))).toBe("true REQUEST_INVALID");
      expect(await put(node, await sign(-30_000))).toBe("done g-1");
      await node.stop();
    });

    test("that others could have written, or that is no file of its own", async () => {
      const node = await running();
      const good = await signNote(text(node), node.node.signer);
      for (const mode of [0o644, 0o660, 0o602]) expect(await put(node, good, mode)).toBe("false REQUEST_INVALID");
      expect(await put(node, good.padEnd(20_000, "\n"))).toBe("false REQUEST_INVALID");
      const path = join(node.directory, "recover.request");
      writeFileSync(join(node.directory, "elsewhere"), good, { mode: 0o600 });
      symlinkSync(join(node.directory, "elsewhere"), path);
      expect(await answered(node)).toBe("false REQUEST_INVALID");
      linkSync(join(node.directory, "elsewhere"), path);
      expect(await answered(node)).toBe("done g-1");
      await node.stop();
    });
  });

  test("nobody answers where none runs: then nothing has changed, and nothing is left", async () => {
    const node = await running();
    const before = token(node.directory);
    await node.stop();
    expect(await faultFrom(asked(node, 1000))).toMatchObject({ code: "REQUEST_UNANSWERED" });
    expect(token(node.directory)).toBe(before);
    expect(readdirSync(node.directory).filter((name) => /recover|token\../.test(name))).toEqual([]);
  });
});

describe("of a node that does not run", () => {
  test("its log is opened, and nothing that it owes is carried out", async () => {
    const node = await running();
    const before = token(node.directory);
    await node.stop();
    const { directory } = node;
    expect(await recoverOffline({ directory, plugins })).toEqual({
      ...{ principal: "admin", grant: "g-1", file: join(directory, "admin.token") },
    });
    const again = await running(directory);
    expect(await verified(again.orchestrator, token(directory))).toEqual({ principal: "admin", grant: "g-1" });
    expect(await verified(again.orchestrator, before)).toMatchObject({ code: "CREDENTIAL_INVALID" });
    expect(again.orchestrator.log.head).toBe(2);
    expect(await faultFrom(recoverOffline({ directory, plugins }))).toMatchObject({ code: "LOG_LOCKED" });
    await again.stop();
  });

  test("what is no node's directory is left as it is", async () => {
    const directory = mkdtempSync(join(home, "empty-"));
    for (const recovery of [() => recoverOffline({ directory, plugins }), () => requestRecovery({ directory })])
      expect(await faultFrom(recovery)).toMatchObject({ code: "KEY_FILE_INVALID" });
    expect(readdirSync(directory)).toEqual([]);
  });

  test("without the node's key nothing is asked for", async () => {
    const node = await running();
    await node.stop();
    renameSync(join(node.directory, "node.key"), join(node.directory, "away"));
    expect(await faultFrom(recoverOffline({ directory: node.directory, plugins }))).toMatchObject({
      code: "KEY_FILE_INVALID",
    });
  });
});
