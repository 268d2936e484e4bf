// The node's HTTP: RPC batches, REST, health, metrics, and the plugins' doors. Requests that come here have passed admission.

import type { RpcTarget } from "capnweb";
import { Hono } from "hono";
import { version } from "../../package.json" with { type: "json" };
import { type Fault, FaultError, fault, faultOf } from "../fault/fault.ts";
import { METRICS_PATH, metricsDoor } from "../observability/metrics-door.ts";
import type { Orchestrator } from "../orchestrator.ts";
import { Turns } from "../pipeline/turns.ts";
import type { Logger } from "../plugin/plugin.ts";
import { PREFIX } from "../rest/operation.ts";
import { DESCRIPTION, RestDoor } from "../rest/rest-door.ts";
import { answerBatch } from "../rpc/batch.ts";
import { SessionBudget } from "../rpc/budget.ts";
import { onSendError } from "../rpc/errors.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import { AnonymousBodies } from "./anonymous-bodies.ts";
import { doorContext } from "./door-context.ts";
import { pluginDoor } from "./plugin-door.ts";
import type { SessionOptions } from "./session.ts";

/** The longest wait of an HTTP batch: proxies and clients give up at some time. After that the answer is `pending`. */
const BATCH_WAIT_MS = 30_000;
/** The node's own paths, which no plugin's door may have. */
const OWN_PATHS = ["/rpc", ...RestDoor.paths, METRICS_PATH, "/healthz", "/readyz"];

export interface AppOptions {
  readonly orchestrator: Orchestrator;
  readonly Api: new (session: SessionOptions) => RpcTarget;
  readonly limits: Partial<SessionLimits> | undefined;
  stopping(): boolean;
  /** Aborted when the node stops. */
  readonly stopped: AbortSignal;
  readonly logger: Logger;
  /** Only this machine can reach the node. */
  readonly local: boolean;
  /** Lifts the idle timeout of a request. */
  keepOpen(request: Request): void;
  report(error: unknown): void;
}

export interface App {
  readonly paths: readonly string[];
  /** The response for a request that admission refuses. */
  refuse(request: Request, refused: Fault): Response;
  fetch(request: Request): Response | Promise<Response>;
}

/** @throws FaultError COMPOSITION_INVALID where a plugin's door is at a path of the node's */
export function httpApp(options: AppOptions): App {
  const { orchestrator, Api, limits, stopping, stopped, logger, local, keepOpen, report } = options;
  const { committer, composition, node } = orchestrator;
  const budgetLimits = new SessionBudget(limits).limits;
  const bodies = new AnonymousBodies(budgetLimits);
  const app = new Hono();

  app.get("/healthz", (c) => c.json({ status: "ok", node: node.id, entries: committer.durable, version }));
  app.get("/readyz", (c) => {
    if (!stopping() && committer.ready()) return c.json({ ready: true });
    return c.json({ ready: false, why: stopping() ? "stopping" : committer.refusal.message }, 503);
  });
  app.post("/rpc", async (c) => {
    if (stopping()) return c.json(fault("STOPPING", "the node is shutting down"), 503);
    const body = await bodies.read(c.req.raw);
    if (typeof body !== "string") return Response.json(body, { status: context.statusOf(body.code) });
    const budget = new SessionBudget(limits);
    orchestrator.metrics.watch(budget);
    const lives = orchestrator.lives.session(false);
    const main = new Api({ ...{ orchestrator, budget, lives, turns: new Turns(), wait: BATCH_WAIT_MS } });
    const options = { onSendError: (error: Error) => onSendError(error, report) };
    return answerBatch({ body, main, options, budget, durability: committer, report }).finally(() =>
      lives.end("the batch was answered"),
    );
  });
  app.all("/rpc", (c) =>
    c.json(fault("FRAME_INVALID", "/rpc takes a WebSocket, or a batch by POST"), 405, { allow: "POST" }),
  );
  const context = doorContext({ orchestrator, stopping: stopped, logger, keepOpen });
  const metrics = metricsDoor({ orchestrator, context, open: local });
  app.all(METRICS_PATH, (c) => metrics(c.req.raw));
  const rest = new RestDoor({ composition, context, limits: budgetLimits, version, stopping, report });
  for (const path of RestDoor.paths) app.all(path, (c) => rest.fetch(c.req.raw));
  const paths = ["/rpc", PREFIX, DESCRIPTION, ...composition.doors.map(({ path }) => path)];
  paths.push(METRICS_PATH, "/healthz", "/readyz");
  for (const door of composition.doors) {
    if (OWN_PATHS.some((own) => own === door.path || (own.endsWith("/*") && door.path.startsWith(own.slice(0, -1))))) {
      throw new FaultError(fault("COMPOSITION_INVALID", `a plugin's door is at ${door.path}, which is the node's own`));
    }
    const open = pluginDoor(door, context);
    app.all(door.path, (c) => open(c.req.raw));
  }
  app.onError((error, c) => {
    // The caller has left, so that nobody reads the answer; that is no error of ours.
    if (c.req.raw.signal.aborted && !(error instanceof FaultError)) return new Response(null, { status: 499 });
    report(error);
    return c.json(faultOf(error), 500);
  });
  app.notFound((c) =>
    c.json(fault("NOT_FOUND", `nothing is at ${c.req.path.slice(0, 100)}; there is ${paths.join(", ")}`), 404),
  );
  return {
    paths,
    // At other paths than REST's the fault itself is the body.
    refuse: (request, refused) => rest.refuse(request, refused) ?? Response.json(refused, { status: 403 }),
    fetch: (request) => app.fetch(request),
  };
}
