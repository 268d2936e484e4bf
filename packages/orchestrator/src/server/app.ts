// The node's HTTP: batches of RPC, health, and the plugins' own doors. What comes here has passed admission.

import type { RpcTarget } from "capnweb";
import { Hono } from "hono";
import { version } from "../../package.json" with { type: "json" };
import { FaultError, fault, faultOf } from "../fault/fault.ts";
import type { Orchestrator } from "../orchestrator.ts";
import { Turns } from "../pipeline/turns.ts";
import { answerBatch } from "../rpc/batch.ts";
import { SessionBudget } from "../rpc/budget.ts";
import { onSendError } from "../rpc/errors.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import { readBody } from "./body.ts";
import type { SessionOptions } from "./session.ts";

/** An HTTP batch cannot wait for ever: proxies and clients give up. Past it the answer is `pending`. */
const BATCH_WAIT_MS = 30_000;
/** What the node answers at by itself; a plugin's door is somewhere else. */
const OWN_PATHS = ["/rpc", "/healthz", "/readyz"];

export interface AppOptions {
  readonly orchestrator: Orchestrator;
  readonly Api: new (session: SessionOptions) => RpcTarget;
  readonly limits: Partial<SessionLimits> | undefined;
  stopping(): boolean;
  report(error: unknown): void;
}

export interface App {
  readonly paths: readonly string[];
  fetch(request: Request): Response | Promise<Response>;
}

/** @throws FaultError COMPOSITION_INVALID where a plugin's door is at a path of the node's */
export function httpApp({ orchestrator, Api, limits, stopping, report }: AppOptions): App {
  const { committer, composition, node } = orchestrator;
  const { frameBytes } = new SessionBudget(limits).limits;
  const app = new Hono();

  app.get("/healthz", (c) => c.json({ status: "ok", node: node.id, entries: committer.durable, version }));
  app.get("/readyz", (c) => {
    if (!stopping() && committer.ready()) return c.json({ ready: true });
    return c.json({ ready: false, why: stopping() ? "stopping" : committer.refusal.message }, 503);
  });
  app.post("/rpc", async (c) => {
    if (stopping()) return c.json(fault("STOPPING", "the node is shutting down"), 503);
    const body = await readBody(c.req.raw, frameBytes);
    if (typeof body !== "string") return c.json(body, body.code === "TOO_LARGE" ? 413 : 400);
    const budget = new SessionBudget(limits);
    const main = new Api({ orchestrator, budget, turns: new Turns(), wait: BATCH_WAIT_MS });
    const options = { onSendError: (error: Error) => onSendError(error, report) };
    return answerBatch({ body, main, options, budget, durability: committer, report });
  });
  app.all("/rpc", (c) =>
    c.json(fault("FRAME_INVALID", "/rpc takes a WebSocket, or a batch by POST"), 405, { allow: "POST" }),
  );
  const paths = [...OWN_PATHS];
  for (const door of composition.doors) {
    if (OWN_PATHS.includes(door.path)) {
      throw new FaultError(fault("COMPOSITION_INVALID", `a plugin's door is at ${door.path}, which is the node's own`));
    }
    paths.push(door.path);
    app.all(door.path, (c) => door.fetch(c.req.raw));
  }
  app.onError((error, c) => {
    report(error);
    return c.json(faultOf(error), 500);
  });
  app.notFound((c) =>
    c.json(fault("NOT_FOUND", `nothing is at ${c.req.path.slice(0, 100)}; there is ${paths.join(", ")}`), 404),
  );
  return { paths, fetch: (request) => app.fetch(request) };
}
