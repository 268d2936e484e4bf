// A process that dies while it carries something out: what may run twice is run again by itself; of what may not, nobody
// knows whether it ran, and somebody has to say what becomes of it.

import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { siblingId } from "@capstan/orchestrator";
import { type Connected, remoteFault } from "@capstan/orchestrator/client";
import type { KillPoint } from "../chaos/kill-point.ts";
import { listAmbiguous, registerActions } from "../chaos/load.ts";
import { SIDE_EFFECTS } from "../chaos/protocols.ts";
import { type ServerProcess, startServer } from "../chaos/server-process.ts";

const KEY = { key: "k-1" };
const INPUT = { key: KEY.key, text: "hello" };

// Three processes start one after another.
setDefaultTimeout(60_000);

let directory: string;
let server: ServerProcess;
let connection: Connected;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "capstan-ambiguous-"));
  server = await startServer(directory);
  await registerActions(server);
  connection = server.connect();
});

afterEach(async () => {
  server.kill();
  await server.exited;
  rmSync(directory, { recursive: true });
});

async function restart(): Promise<void> {
  server.kill();
  await server.exited;
  server = await startServer(directory);
  connection = server.connect();
}

function ask(resource: string, verb: string, data: unknown, options?: unknown): Promise<unknown> {
  return connection.scope.applyAction({ resource, action: verb, data }, options);
}

function perform(name: string, options?: object): Promise<unknown> {
  return ask("action", "perform", { name, input: INPUT }, { ...KEY, ...options });
}

async function faultOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    (answer) => `no fault, but ${JSON.stringify(answer)}`,
    (thrown) => remoteFault(thrown).code,
  );
}

/** The lines of the world outside: one each time that it was touched. */
function touched(): string[][] {
  const lines = readFileSync(join(directory, SIDE_EFFECTS), "utf8").trim().split("\n");
  return lines.filter((line) => line !== "").map((line) => line.split(" "));
}

/** Performs what must not run twice, and has the server die at `point` of it. Answers the execution, after a restart. */
async function dieWhileItRuns(point: KillPoint): Promise<string> {
  server.arm(point, 1);
  expect(await faultOf(perform("once"))).toBe("UNREACHABLE");
  expect((await server.exited).killedAt).toBe(point);
  await restart();
  const [id, ...others] = await listAmbiguous(server);
  expect(others).toEqual([]);
  return id ?? "nothing is listed";
}

describe("an action that must not run twice, killed while it runs", () => {
  test("is ambiguous, listed, and never run again by itself", async () => {
    const id = await dieWhileItRuns("effect:once-after");
    for (const start of ["the first", "the second"]) {
      if (start === "the second") await restart();
      expect(await ask("execution", "show", { id })).toMatchObject({
        id,
        action: "once",
        state: "ambiguous",
        attempt: 1,
      });
      expect(await listAmbiguous(server)).toEqual([id]);
      expect(await faultOf(perform("once"))).toBe("EXECUTION_AMBIGUOUS");
      expect(touched()).toHaveLength(1);
    }
  });

  test("is run once more by execution.retry, under the key of the first attempt", async () => {
    const id = await dieWhileItRuns("effect:once-after");
    const retried = await ask("execution", "retry", { id });
    expect(retried).toMatchObject({ execution: id, output: INPUT });
    const [first, second, ...others] = touched();
    expect(others).toEqual([]);
    expect(second?.[2]).toBe(first?.[2] as string);
    expect(await listAmbiguous(server)).toEqual([]);
    expect(await faultOf(ask("execution", "retry", { id }))).toBe("EXECUTION_UNKNOWN");

    await restart();
    expect(await ask("execution", "show", { id })).toMatchObject({ state: "done", output: INPUT });
    // Whoever asked first is told what came of it in the end.
    expect(await perform("once")).toEqual(retried);
    expect(touched()).toHaveLength(2);
  });

  test("is ended by execution.abandon", async () => {
    const id = await dieWhileItRuns("effect:once-before");
    expect(await ask("execution", "abandon", { id })).toEqual({ execution: id });
    expect(await listAmbiguous(server)).toEqual([]);
    expect(await faultOf(perform("once"))).toBe("EXECUTION_ABANDONED");

    await restart();
    expect(await ask("execution", "show", { id })).toMatchObject({
      state: "failed",
      error: { code: "EXECUTION_ABANDONED" },
    });
    expect(await faultOf(ask("execution", "abandon", { id }))).toBe("EXECUTION_UNKNOWN");
    expect(touched()).toEqual([]);
  });
});

describe("an action that may run twice, killed while it runs", () => {
  test("is run again by itself, and its caller can attach", async () => {
    const accepted = (await perform("stuck", { wait: 0 })) as { execution: string };
    expect(accepted).toMatchObject({ pending: true });
    await restart();
    const outcome = await ask("message", "attach", { id: siblingId(accepted.execution, "m") });
    expect(outcome).toMatchObject({ execution: accepted.execution, output: INPUT });
    expect(await perform("stuck")).toEqual(outcome);
    expect(await listAmbiguous(server)).toEqual([]);
  });
});
