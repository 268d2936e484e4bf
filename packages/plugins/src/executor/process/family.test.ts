import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeInfo } from "@capstan/orchestrator";
import type { Protocol } from "../protocol.ts";
import { faultFrom, perform } from "../template/call.fixture.ts";
import { endLeftovers, Family } from "./family.ts";
import { lifeOf, process as processProtocol } from "./process.ts";
import { sharedSurvey, survey } from "./survey.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "capstan-family-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const protocols: Protocol[] = [];
afterEach(async () => {
  for (const protocol of protocols.splice(0)) await protocol.stop?.();
});

function processes(): Protocol {
  const protocol = processProtocol();
  protocols.push(protocol);
  return protocol;
}

/** A file into which a script writes pids, one a line; they are awaited until there are so many. */
function pidsFile(count: number): { readonly path: string; pids(): Promise<number[]> } {
  const path = join(directory, `pids-${files++}`);
  const read = () => (existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1).map(Number) : []);
  return {
    path,
    async pids() {
      while (read().length < count) await Bun.sleep(5);
      return read();
    },
  };
}

async function alive(pids: readonly number[]): Promise<number[]> {
  const running = new Set((await survey()).map(({ pid }) => pid));
  return pids.filter((pid) => running.has(pid));
}

/** Not before the node has done what it does behind the outcome. */
async function gone(pids: readonly number[]): Promise<void> {
  while ((await alive(pids)).length > 0) await Bun.sleep(5);
}

const run = (script: string, file: string, env: object = {}) => ({
  argv: ["/bin/sh", "-c", script, "sh", file],
  cwd: "/",
  env,
});

const STUBBORN = "trap '' TERM INT HUP; ";
const WAIT = "while :; do sleep 60; done";

describe("when a call is aborted, its outcome is told at once, and there ends", () => {
  test.each([
    ["the program", 1, `echo $$ >> "$1"; exec sleep 60`],
    ["one that ignores SIGTERM", 1, `${STUBBORN}echo $$ >> "$1"; ${WAIT}`],
    [
      "its children and theirs",
      3,
      `(sh -c 'echo $$ >> "$1"; sleep 60; :' sh "$1" & echo $$ >> "$1"; sleep 60) & echo $! >> "$1"; wait`,
    ],
    [
      "a grandchild that left the session and ignores SIGTERM",
      2,
      `setsid sh -c "${STUBBORN}"'echo $$ >> "$1"; ${WAIT}' sh "$1" & echo $$ >> "$1"; ${STUBBORN}${WAIT}`,
    ],
    [
      "one that left the session without its environment, while its parent lives",
      2,
      `env -i setsid sh -c "${STUBBORN}"'echo $$ >> "$1"; ${WAIT}' sh "$1" & echo $$ >> "$1"; wait`,
    ],
    [
      "a daemon: forked twice, of a session of its own, its parents gone, its files closed",
      2,
      `(setsid sh -c "${STUBBORN}"'(echo $$ > /dev/null; sh -c '"'"'echo $$ >> "$1"; exec sleep 60'"'"' sh "$1" <&- >&- 2>&- &)' sh "$1" &) ; echo $$ >> "$1"; exec sleep 60`,
    ],
  ])("%s", async (_, count, script) => {
    const protocol = processes();
    const { path, pids } = pidsFile(count);
    const abort = new AbortController();
    const performed = perform(protocol, run(script, path), { signal: abort.signal });
    const started = await pids();
    expect(await alive(started)).toHaveLength(started.length);
    abort.abort(new Error("the deadline"));
    await expect(performed).rejects.toThrow("the deadline");
    await gone(started);
  });

  test("nobody else", async () => {
    const protocol = processes();
    const [one, other] = [pidsFile(1), pidsFile(1)];
    const abort = new AbortController();
    const script = `echo $$ >> "$1"; exec sleep 60`;
    const ended = perform(protocol, run(script, one.path), { signal: abort.signal });
    const kept = faultFrom(() => perform(protocol, run(script, other.path)));
    const [first, second] = [await one.pids(), await other.pids()];
    abort.abort(new Error("over"));
    await expect(ended).rejects.toThrow("over");
    await gone(first);
    expect(await alive(second)).toEqual(second);
    await protocol.stop?.();
    expect((await kept).code).toBe("PROCESS_FAILED");
  });

  test("nothing at all where it was aborted before", async () => {
    const { path } = pidsFile(1);
    const signal = AbortSignal.abort(new Error("early"));
    await expect(perform(processes(), run(`echo $$ >> "$1"`, path), { signal })).rejects.toThrow("early");
    expect(existsSync(path)).toBe(false);
  });
});

describe("a program that ends", () => {
  test("takes with it what it left, and its output is not waited for", async () => {
    const { path, pids } = pidsFile(1);
    const script = `setsid sh -c 'echo $$ >> "$1"; ${WAIT}' sh "$1" & while [ ! -s "$1" ]; do sleep 0.01; done; echo out`;
    expect(await perform(processes(), run(script, path))).toBe("out\n");
    await gone(await pids());
  });

  test("by writing too much takes its children with it", async () => {
    const { path, pids } = pidsFile(2);
    const script = `setsid sh -c 'echo $$ >> "$1"; ${WAIT}' sh "$1" 2>&1 & echo $$ >> "$1"; while [ $(wc -l < "$1") -lt 2 ]; do sleep 0.01; done; exec yes`;
    const fault = await faultFrom(() => perform(processes(), run(script, path)));
    expect(fault.code).toBe("PROCESS_OUTPUT_TOO_LARGE");
    await gone(await pids());
  });
});

describe("a node", () => {
  test("that stops ends what runs, and waits until it has", async () => {
    const protocol = processes();
    const { path, pids } = pidsFile(2);
    const script = `setsid sh -c "${STUBBORN}"'echo $$ >> "$1"; ${WAIT}' sh "$1" & echo $$ >> "$1"; ${STUBBORN}${WAIT}`;
    const performed = faultFrom(() => perform(protocol, run(script, path)));
    const started = await pids();
    await protocol.stop?.();
    expect(await alive(started)).toEqual([]);
    expect((await performed).message).toContain("the node stops");
  });

  const left = (node: string) =>
    Bun.spawn({
      cmd: ["/bin/sleep", "60"],
      env: { A: "x", CAPSTAN_RUN: `${node}/1` },
      detached: true,
      stdio: ["ignore", "ignore", "ignore"],
    });

  test("that was killed leaves what it ran, and its next start ends that", async () => {
    const id = `n-${crypto.randomUUID()}`;
    const [ours, others] = [left(lifeOf(id, "/data/one")), left(lifeOf(id, "/data/other"))];
    await processes().start?.({ id, directory: "/data/one" } as NodeInfo);
    await ours.exited;
    expect(ours.signalCode).toBe("SIGKILL");
    expect(others.exitCode).toBeNull();
    others.kill();
    expect(await endLeftovers(lifeOf(id, "/data/one"))).toBe(0);
  });

  test("without a data directory has no earlier life: another program's node may have the same id", async () => {
    const id = `n-${crypto.randomUUID()}`;
    const others = left(lifeOf(id, undefined));
    await processes().start?.({ id } as NodeInfo);
    expect(others.exitCode).toBeNull();
    expect(others.signalCode).toBeNull();
    others.kill();
    await others.exited;
  });
});

test("where there is no /proc the program's group is ended", async () => {
  const file = pidsFile(1);
  const { argv: cmd } = run(`${STUBBORN}sleep 60 & echo $! >> "$1"; ${WAIT}`, file.path);
  const child = Bun.spawn({ cmd, detached: true, stdio: ["ignore", "ignore", "ignore"] });
  const pids = await file.pids();
  const family = new Family(child.pid, "none", async () => []);
  void child.exited.then(() => family.leaderExited());
  expect(await family.end(0)).toBe(true);
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  await gone(pids);
  // Not of the same group: whoever reaps what it left may take seconds.
  const { pid } = Bun.spawnSync(["true"]);
  expect(await new Family(pid, "none", async () => []).end(0)).toBe(true);
});

test("many who ask for a survey while one is made share the next", async () => {
  let taken = 0;
  const release: (() => void)[] = [];
  const shared = sharedSurvey(() => {
    taken++;
    return new Promise((resolve) => release.push(() => resolve([])));
  });
  const first = shared();
  const rest = [shared(), shared(), shared()];
  expect(taken).toBe(1);
  release.shift()?.();
  await first;
  while (release.length === 0) await Promise.resolve();
  expect(taken).toBe(2);
  release.shift()?.();
  await Promise.all(rest);
  expect(taken).toBe(2);
});
