// The server's process as its starter sees it: ready, armed, dead. It knows nothing of what is asked of the server.

import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Connected, connect } from "@capstan/orchestrator/client";
import type { KillPoint } from "./kill-point.ts";
import { linesOf } from "./lines.ts";

export interface ServerProcess {
  readonly url: string;
  /** From before the process was started until it said that it serves. */
  readonly readyMs: number;
  /** Entries in the log when it was ready, and bytes of memory. */
  readonly head: number;
  readonly memory: number;
  /** As the administrator. */
  connect(): Connected;
  /** Has the server kill itself at the `after`th time that it reaches `point`. */
  arm(point: KillPoint, after: number): void;
  kill(): void;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number>;
  /** Once it is dead: the kill point at which it killed itself, where it did. */
  readonly exited: Promise<{ readonly signal: string | number | null; readonly killedAt: KillPoint | undefined }>;
}

interface Line {
  readonly ready?: { readonly url: string; readonly head: number; readonly memory: number };
  readonly killed?: KillPoint;
}

/** Of a server that did not start, its last characters. */
const MOST_TOLD = 2000;
const SERVER = new URL("./server.ts", import.meta.url).pathname;

export interface ServerOptions {
  /** The control build, which replies before it has written. */
  readonly early?: boolean;
  /** Where the side effects are written down; default the data directory. */
  readonly outside?: string;
  /** The file that its log lines are added to; default: our standard error. */
  readonly errors?: string;
}

export async function startServer(
  directory: string,
  { early, outside, errors }: ServerOptions = {},
): Promise<ServerProcess> {
  const startedAt = performance.now();
  const args = [...(early ? ["--early"] : []), ...(outside === undefined ? [] : ["--outside", outside])];
  const child = Bun.spawn([process.execPath, SERVER, "--directory", directory, ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: errors === undefined ? "inherit" : openSync(errors, "a"),
  });
  const lines = linesOf<Line>(child.stdout);
  const first = await lines.next();
  if (first.done || first.value.ready === undefined) {
    await child.exited;
    const why = errors === undefined ? "" : `: ${readFileSync(errors, "utf8").slice(-MOST_TOLD)}`;
    throw new Error(`the server on ${directory} did not start (${child.signalCode ?? child.exitCode})${why}`);
  }
  const { url, head, memory } = first.value.ready;
  const readyMs = performance.now() - startedAt;

  async function untilDead() {
    let killedAt: KillPoint | undefined;
    for await (const line of lines) killedAt = line.killed ?? killedAt;
    await child.exited;
    return { signal: child.signalCode, killedAt };
  }

  return {
    ...{ url, readyMs, head, memory },
    connect: () =>
      connect({ url, as: { connectionFromCli: readFileSync(join(directory, "admin.token"), "utf8").trim() } }),
    arm(point, after) {
      child.stdin.write(`${point} ${after}\n`);
      child.stdin.flush();
    },
    kill: () => child.kill("SIGKILL"),
    stop() {
      child.kill("SIGTERM");
      return child.exited;
    },
    exited: untilDead(),
  };
}
