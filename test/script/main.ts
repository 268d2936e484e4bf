// `npm run escapes`: every escape once by itself, how long until it was refused or stopped; then the latency of a neighbour's
// calls without and with escapes that are tried without end, five samples of each in turn. Exit code 1 where something got
// out, took longer than 500 ms, or cost the neighbour more than twice its p99.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connect } from "@capstan/orchestrator/client";
import { credentialDigest } from "@capstan/plugins";
import { complaint, makeDirectory, Tenant, tenantGrant } from "./tenant.ts";

const MOST_MS = 500;
const MOST_RATIO = 2;
/** So many scripts are asked for at once. */
const AT_ONCE = 4;

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "5000" },
    samples: { type: "string", default: "5" },
    // A regular expression for the names of the escapes that the neighbour has beside it.
    only: { type: "string", default: "" },
  },
});
const calls = Number(values.calls);
const samples = Number(values.samples);

const data = mkdtempSync(join(tmpdir(), "capstan-neighbour-"));
const directory = makeDirectory();
const server = Bun.spawn([process.execPath, new URL("./server.ts", import.meta.url).pathname, data], {
  stdin: "pipe",
  stdout: "pipe",
  stderr: "inherit",
});
const failures = new Set<string>();
try {
  const { value } = await server.stdout.getReader().read();
  const { url, token } = JSON.parse(new TextDecoder().decode(value)) as { url: string; token: string };
  await measure(url, token);
} finally {
  server.stdin.end();
  await server.exited;
  rmSync(data, { recursive: true });
  directory.remove();
}
for (const failure of failures) console.log(`FAILED: ${failure}`);
process.exit(failures.size === 0 ? 0 : 1);

async function measure(url: string, token: string): Promise<void> {
  const admin = connect({ url, as: { connectionFromCli: token } });
  const apply = (resource: string, action: string, given: unknown) =>
    admin.scope.applyAction({ resource, action, data: given });
  for (const name of ["echo", "vault"]) await apply("action", "register", { name, protocol: "echo" });
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const allow = tenantGrant(directory);
  await apply("grant", "create", { principal: "tenant", allow, credential: credentialDigest(secret) });
  const hostile = connect({ url, as: { connectionFromCli: secret } });
  const tenant = new Tenant(hostile.scope as never, directory);

  const slowest: { readonly name: string; readonly ms: number }[] = [];
  for (const attempt of tenant.list) {
    const registered = await tenant.register(attempt);
    const tried = attempt.unregistered ? registered : await tenant.perform(attempt);
    const wrong = complaint(attempt, tried);
    if (wrong !== undefined) failures.add(wrong);
    if (tried.ms > MOST_MS) failures.add(`${attempt.name}: ${tried.ms.toFixed(0)} ms`);
    slowest.push({ name: attempt.name, ms: tried.ms });
  }
  slowest.sort((a, b) => b.ms - a.ms);
  console.log(`${slowest.length} escapes, each refused or stopped; the slowest:`);
  for (const { name, ms } of slowest.slice(0, 5)) console.log(`${ms.toFixed(0).padStart(6)} ms  ${name}`);

  const echo = () =>
    admin.scope.applyAction({ resource: "action", action: "perform", data: { name: "echo", input: 1 } });
  await latencies(echo);
  const quiet: number[] = [];
  const beside: number[] = [];
  console.log(`${calls} calls of a neighbour a sample, p50 and p99 in ms`);
  for (let sample = 1; sample <= samples; sample++) {
    const alone = await latencies(echo);
    const flood = new Flood(tenant);
    const besides = await latencies(echo);
    const tried = await flood.end();
    quiet.push(alone.p99);
    beside.push(besides.p99);
    console.log(
      `sample ${sample}: alone ${shown(alone)}; beside ${tried} escapes ${shown(besides)}; ratio ${(besides.p99 / alone.p99).toFixed(2)}`,
    );
  }
  const ratio = median(beside) / median(quiet);
  console.log(
    `p99 ${median(beside).toFixed(2)} ms beside escapes, ${median(quiet).toFixed(2)} ms alone: ${ratio.toFixed(2)} times (goal ${MOST_RATIO})`,
  );
  if (!(ratio <= MOST_RATIO)) failures.add(`the neighbour's p99 is ${ratio.toFixed(2)} times what it is alone`);
  hostile.close();
  admin.close();
}

/** Escapes, one after the other, `AT_ONCE` at a time, until it is ended. */
class Flood {
  #ended = false;
  #tried = 0;
  readonly #running: Promise<void>[];

  constructor(private readonly tenant: Tenant) {
    this.#running = Array.from({ length: AT_ONCE }, (_, first) => this.#run(first));
  }

  async end(): Promise<number> {
    this.#ended = true;
    await Promise.all(this.#running);
    return this.#tried;
  }

  async #run(first: number): Promise<void> {
    const only = new RegExp(values.only);
    const list = this.tenant.list.filter(({ name, unregistered }) => !unregistered && only.test(name));
    for (let i = first; !this.#ended; i += AT_ONCE) {
      const attempt = list[i % list.length] as (typeof list)[number];
      const tried = await this.tenant.perform(attempt);
      this.#tried++;
      // Beside others it may be the clock that ends what another limit would have ended.
      if (tried.code === "SCRIPT_TIME") continue;
      const wrong = complaint(attempt, tried);
      if (wrong !== undefined) failures.add(wrong);
    }
  }
}

async function latencies(call: () => PromiseLike<unknown>): Promise<{ readonly p50: number; readonly p99: number }> {
  const all: number[] = [];
  for (let i = 0; i < calls; i++) {
    const from = performance.now();
    await call();
    all.push(performance.now() - from);
  }
  all.sort((a, b) => a - b);
  const at = (part: number): number => all[Math.min(all.length - 1, Math.floor(all.length * part))] as number;
  return { p50: at(0.5), p99: at(0.99) };
}

function shown({ p50, p99 }: { readonly p50: number; readonly p99: number }): string {
  return `${p50.toFixed(2)} ${p99.toFixed(2)}`;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number;
}
