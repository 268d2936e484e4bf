// Messages over plain HTTP: `/v1/<resource>/<verb>`, the codes that it answers with, and its description. It is generated from the
// message table, and hands what is asked to the hub like every door (ADR 0019).

import { type Fault, FaultError, fault, faultOf } from "../fault/fault.ts";
import { kernelFaults } from "../fault/kernel-faults.ts";
import { printable } from "../fault/printable.ts";
import type { Principal } from "../message/message.ts";
import { nearest } from "../message/nearest.ts";
import type { Composition } from "../plugin/composition.ts";
import type { DoorContext } from "../plugin/plugin.ts";
import type { ErrorReport } from "../rpc/errors.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import { answerResponse, dressed, taggedResponse } from "./answer.ts";
import { optionsResponse } from "./cross-origin.ts";
import { InFlight } from "./in-flight.ts";
import { openApi } from "./open-api/open-api.ts";
import { type Operation, type Operations, operationsOf, PREFIX, unknownPath } from "./operation.ts";
import { PROBLEMS, problemOf, problemPage, problemResponse } from "./problem.ts";
import { announcedBytes, dataOfRequest } from "./request-data.ts";
import { accepts, askedBy, requestIdOf } from "./request-headers.ts";

export const DESCRIPTION = "/openapi.json";
const READS = ["GET", "HEAD", "OPTIONS"];

export interface RestDoorOptions {
  readonly composition: Composition;
  readonly context: DoorContext;
  readonly limits: SessionLimits;
  readonly version: string;
  stopping(): boolean;
  readonly report: ErrorReport;
}

export class RestDoor {
  /** As hono matches them. */
  static readonly paths: readonly string[] = [PREFIX, `${PREFIX}/*`, DESCRIPTION, PROBLEMS, `${PROBLEMS}/*`];

  readonly #options: RestDoorOptions;
  readonly #operations: Operations;
  readonly #inFlight: InFlight;
  #description: string | undefined;

  constructor(options: RestDoorOptions) {
    this.#options = options;
    this.#operations = operationsOf(options.composition);
    this.#inFlight = new InFlight(options.limits);
  }

  async fetch(request: Request): Promise<Response> {
    const requestId = requestIdOf(request.headers);
    let response: Response;
    try {
      response = await this.#answer(request, requestId);
    } catch (thrown) {
      // The caller has left, so that nobody reads the response; that is no error of ours.
      if (request.signal.aborted && !(thrown instanceof FaultError)) return new Response(null, { status: 499 });
      response = this.#problem(thrown, false);
    }
    return dressed(request, response, requestId);
  }

  /** The response for a request that admission refuses; `undefined` where the path is not this door's. */
  refuse(request: Request, refused: Fault): Response | undefined {
    const { pathname } = new URL(request.url);
    const ours = RestDoor.paths.some(
      (path) => path === pathname || (path.endsWith("/*") && pathname.startsWith(path.slice(0, -1))),
    );
    if (!ours) return undefined;
    const response = this.#problem(new FaultError(refused), false);
    response.headers.set("x-request-id", requestIdOf(request.headers));
    response.headers.set("x-content-type-options", "nosniff");
    return response;
  }

  #answer(request: Request, requestId: string): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === DESCRIPTION) return this.#read(request, () => this.#describe());
    if (pathname === PROBLEMS || pathname.startsWith(`${PROBLEMS}/`)) {
      return this.#read(request, () => this.#explain(pathname.slice(PROBLEMS.length + 1)));
    }
    const operation = this.#operations.get(pathname);
    if (operation !== undefined && request.method === "OPTIONS") return optionsResponse(request, operation.methods);
    return this.#message(request, pathname, operation, requestId);
  }

  /** A document that everybody who is admitted may read: it describes the program, not its data. */
  #read(request: Request, text: () => string): Response {
    if (request.method === "OPTIONS") return optionsResponse(request, READS);
    if (!READS.includes(request.method)) throw new MethodRefused(request.method, READS);
    return taggedResponse(request, text(), "no-cache");
  }

  #describe(): string {
    const { composition, version } = this.#options;
    this.#description ??= JSON.stringify(openApi(this.#operations, composition, version));
    return this.#description;
  }

  #explain(code: string): string {
    const { faults } = this.#options.composition;
    if (code === "") return JSON.stringify([...faults].map(([one, row]) => problemPage(one, row)));
    const row = faults.get(code);
    if (row !== undefined) return JSON.stringify(problemPage(code, row));
    const suggestion = nearest(code, faults.keys());
    const hint = suggestion === undefined ? `${PROBLEMS} lists all codes` : `did you mean ${suggestion}?`;
    throw new FaultError(fault("NOT_FOUND", `no code is "${printable(code, 80)}"; ${hint}`));
  }

  async #message(
    request: Request,
    pathname: string,
    operation: Operation | undefined,
    requestId: string,
  ): Promise<Response> {
    const { context, composition, limits, stopping } = this.#options;
    if (stopping()) throw new FaultError(fault("STOPPING", "the node is shutting down; ask again later"));
    // First of all: an unknown caller learns only that.
    const caller = await context.authenticate(request);
    if ("code" in caller) return this.#unauthenticated(request, caller);
    if (operation === undefined) return unknownPath(pathname, this.#operations, composition);
    if (!operation.methods.includes(request.method)) throw new MethodRefused(request.method, operation.methods);
    if (!accepts(request.headers.get("accept"), "application", "json")) {
      throw new FaultError(fault("NOT_ACCEPTABLE", "answers are application/json; let `Accept` take that"));
    }
    const share = this.#inFlight.take(caller.grant, announcedBytes(request, limits.frameBytes));
    try {
      const data = await dataOfRequest(request, operation, share, limits.frameBytes);
      return await this.#submit(request, operation, data, caller, requestId);
    } finally {
      share.over();
    }
  }

  async #submit(
    request: Request,
    operation: Operation,
    data: unknown,
    caller: Principal,
    requestId: string,
  ): Promise<Response> {
    const { resource, verb: action, definition } = operation.route;
    const logged = definition.kind === "command";
    const { options, applied } = askedBy(request.headers, requestId);
    let id: string | undefined;
    const taken = (of: string): void => {
      if (logged) id = of;
    };
    try {
      const answer = await this.#options.context.submit({ resource, action, data }, caller, { ...options, taken });
      return answerResponse(request, { operation, answer, id, applied });
    } catch (thrown) {
      const response = this.#problem(thrown, logged);
      if (id !== undefined) response.headers.set("capstan-message", id);
      return response;
    }
  }

  /** The 401 response: by RFC 6750 §3 it names a credential that was sent and refused. */
  #unauthenticated(request: Request, refused: Fault): Response {
    const status = this.#options.context.statusOf(refused.code);
    // The credential could not be checked, because the log does not take what it depends on.
    if (status >= 500) throw new FaultError(refused);
    const misfit = refused.code === "MESSAGE_INVALID";
    const told = misfit ? fault("CREDENTIAL_INVALID", "no grant goes by this credential") : refused;
    const given = request.headers.has("authorization");
    return problemResponse(problemOf(told, { status: 401, retryable: false }, false), {
      "www-authenticate": `Bearer realm="capstan"${given ? ', error="invalid_token"' : ""}`,
    });
  }

  #problem(thrown: unknown, logged: boolean): Response {
    const { composition, context, report } = this.#options;
    if (!(thrown instanceof FaultError)) report(thrown);
    const found = faultOf(thrown);
    const { retryable } = composition.faults.get(found.code) ?? kernelFaults.INTERNAL;
    const problem = problemOf(found, { status: context.statusOf(found.code), retryable }, logged);
    return problemResponse(problem, thrown instanceof MethodRefused ? { allow: thrown.methods.join(", ") } : {});
  }
}

class MethodRefused extends FaultError {
  readonly methods: readonly string[];

  constructor(method: string, methods: readonly string[]) {
    const shown = printable(method, 20);
    super(fault("METHOD_NOT_ALLOWED", `${shown} is not answered here; there is ${methods.join(", ")}`));
    this.methods = methods;
  }
}
