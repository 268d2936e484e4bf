// The data of a request: a POST's body, or the parameters of a GET.

import { FaultError, fault } from "../fault/fault.ts";
import { readBody } from "./body.ts";
import { dataOf, readPairs } from "./fields.ts";
import type { Share } from "./in-flight.ts";
import type { Operation } from "./operation.ts";
import { isJson } from "./request-headers.ts";
import { readStrictJson } from "./strict-json.ts";

/** The most bytes that its body can have, by `Content-Length` or the limit. */
export function announcedBytes(request: Request, limit: number): number {
  if (request.method !== "POST") return 0;
  const announced = Number(request.headers.get("content-length") ?? limit);
  return Number.isFinite(announced) ? Math.min(announced, limit) : limit;
}

/** @param limit in bytes. @throws FaultError */
export async function dataOfRequest(
  request: Request,
  operation: Operation,
  share: Share,
  limit: number,
): Promise<unknown> {
  const query = queryOf(request);
  if (request.method !== "POST") return dataOf(operation.route.name, readPairs(query), operation.fields);
  if (query !== "") {
    throw new FaultError(fault("REQUEST_MALFORMED", "the data of a POST is its body; a query string is for GET"));
  }
  // A message without data needs no body; a body must be declared as JSON.
  const typed = request.headers.has("content-type") || request.headers.has("content-encoding");
  if (typed && !isJson(request.headers)) throw untyped();
  const body = await readBody(request, limit);
  if (typeof body !== "string") {
    throw new FaultError(body.code === "TOO_LARGE" ? body : { ...body, code: "REQUEST_MALFORMED" });
  }
  share.read(body.length);
  if (body === "") return {};
  if (!typed) throw untyped();
  const read = readStrictJson(body, "the body");
  if ("fault" in read) throw new FaultError(read.fault);
  return read.value;
}

/** Without its `?`, as it was sent. */
export function queryOf(request: Request): string {
  return new URL(request.url).search.slice(1);
}

function untyped(): FaultError {
  const text = "a body is JSON, uncompressed, and says so: `Content-Type: application/json`";
  return new FaultError(fault("MEDIA_TYPE_UNSUPPORTED", text));
}
