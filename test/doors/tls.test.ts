// TLS as an operator meets it: what is wrong is said at the start, and a client that knows the certificate is served.

import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createOrchestrator,
  type Logger,
  type Orchestrator,
  type ServeOptions,
  type Serving,
  serve,
  tlsFiles,
} from "@capstan/orchestrator";
import { batch, connect } from "@capstan/orchestrator/client";
import { auth, credentialDigest } from "@capstan/plugins";
import { type Certificate, selfSigned } from "./certificate.ts";

const SECRET = "a-secret-of-this-test-and-of-nobody-else";
const directory = mkdtempSync(join(tmpdir(), "capstan-tls-"));
const ending: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

let files = 0;

function written({ cert, key }: Certificate, mode = 0o600): { cert: string; key: string } {
  const name = join(directory, String(files++));
  writeFileSync(`${name}.crt`, cert);
  writeFileSync(`${name}.key`, key, { mode });
  chmodSync(`${name}.key`, mode);
  return { cert: `${name}.crt`, key: `${name}.key` };
}

async function serving(options: ServeOptions): Promise<{ serving: Serving; warned: string[] }> {
  const warned: string[] = [];
  const logger: Logger = { debug() {}, info() {}, warn: (_, text) => void warned.push(text), error() {} };
  const orchestrator = await createOrchestrator({ plugins: [auth()] });
  const own = await orchestrator.scope({ principal: "operator", allow: ["*"] });
  await own.grant.create({ principal: "ada", allow: ["*"], credential: credentialDigest(SECRET) });
  try {
    const started = serve(orchestrator as Orchestrator, { listen: "127.0.0.1:0", logger, ...options });
    ending.push(() => started.stop());
    return { serving: started, warned };
  } catch (thrown) {
    await orchestrator.stop();
    throw thrown;
  }
}

const fault = (options: ServeOptions) =>
  serving(options).then(
    () => undefined,
    (thrown) => `${thrown.code}: ${String(thrown.message).replaceAll(directory, "…")}`,
  );

test("a client that knows the certificate is served, over WebSocket, batch and HTTP; one that does not is not", async () => {
  const certificate = selfSigned();
  const { serving: node, warned } = await serving({ tls: written(certificate) });
  const { url } = node;
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(warned).toEqual([]);
  const tls = { ca: certificate.cert };
  const as = { connectionFromCli: SECRET };
  const open = connect({ url, as, webSocket: (address) => new WebSocket(address, { tls } as never) });
  expect(await open.scope.message?.list?.({})).toBeArray();
  open.close();
  const once = batch({ url, as, fetch: (address, init) => fetch(address, { ...init, tls }) });
  expect(await once.scope.message?.list?.({})).toBeArray();
  expect(await (await fetch(`${url}/healthz`, { tls })).json()).toMatchObject({ status: "ok" });
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  await expect(fetch(url.replace("https", "http"))).rejects.toThrow();
});

test("a file that is missing, is something else, or belongs to another is named, and nothing listens", async () => {
  const good = written(selfSigned());
  const other = written(selfSigned());
  const missing = join(directory, "nowhere.pem");
  expect(await fault({ tls: { ...good, cert: missing } })).toBe(
    "TLS_INVALID: TLS: the certificate …/nowhere.pem: there is no such file",
  );
  expect(await fault({ tls: { ...good, key: missing } })).toBe(
    "TLS_INVALID: TLS: the key …/nowhere.pem: there is no such file",
  );
  expect(await fault({ tls: { ...good, cert: directory } })).toMatch(/^TLS_INVALID: TLS: the certificate …: /);
  expect(await fault({ tls: { cert: good.key, key: good.key } })).toMatch(/holds no certificate in PEM form$/);
  expect(await fault({ tls: { cert: good.cert, key: good.cert } })).toMatch(
    /holds no private key in PEM form without a passphrase$/,
  );
  expect(await fault({ tls: { cert: good.cert, key: other.key } })).toMatch(
    /^TLS_INVALID: TLS: …\/\d+\.key is not the key of the certificate …\/\d+\.crt$/,
  );
});

test("one of the two files is not enough", () => {
  expect(tlsFiles(undefined, undefined)).toBeUndefined();
  expect(tlsFiles("a", "b")).toEqual({ cert: "a", key: "b" });
  expect(() => tlsFiles("a", undefined)).toThrow("a certificate without its key; add --tls-key");
  expect(() => tlsFiles(undefined, "b")).toThrow("a key without a certificate; add --tls-cert");
});

test("an expired certificate, one that soon is, and a key that everybody may read are told of, and served", async () => {
  const at = (days: number) => new Date(Date.now() + days * 86_400_000);
  const told = async (certificate: Certificate, mode?: number) =>
    (await serving({ tls: written(certificate, mode) })).warned.map((text) => text.replace(/\d{4}-\S+Z/, "WHEN"));
  expect(await told(selfSigned({ from: at(-9), until: at(-1) }))).toEqual([
    "the certificate expired at WHEN: clients will refuse it",
  ]);
  expect(await told(selfSigned({ until: at(3) }))).toEqual(["the certificate expires at WHEN"]);
  expect(await told(selfSigned({ from: at(2) }))).toEqual([
    "the certificate is not valid before WHEN: clients will refuse it",
  ]);
  expect(await told(selfSigned(), 0o644)).toEqual([
    "everybody on this machine may read the TLS key (mode 0644); chmod 600 it",
  ]);
});

test("a node that others can reach without TLS says so", async () => {
  const { warned } = await serving({ listen: "0.0.0.0:0", public: true });
  expect(warned).toEqual([expect.stringMatching(/not encrypted: credentials included; see --tls-cert$/)]);
  const { warned: encrypted } = await serving({ listen: "0.0.0.0:0", public: true, tls: written(selfSigned()) });
  expect(encrypted).toEqual([]);
});
