// The request of one call: its configuration's templates filled in. What the input says stays where a template put it: it ends
// no header, leaves no path, and adds no parameter.

import { FaultError, fault } from "@capstan/orchestrator";
import { ownOf, Rendering, refusedValue } from "../template/rendering.ts";
import { isReference } from "../template/template.ts";
import { type HttpCall, hasBody, steps } from "./http-schema.ts";

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  /** What any server may see. */
  readonly headers: Headers;
  /** What is for the configured origin alone. */
  readonly ownHeaders: Headers;
  readonly body: string | undefined;
}

export function requestOf(call: HttpCall): HttpRequest {
  const { configuration, task, traceparent } = call;
  const rendering = new Rendering(call);
  const headers = new Headers({
    "user-agent": "capstan",
    accept: configuration.response === "json" ? "application/json" : "*/*",
  });
  if (traceparent !== undefined) headers.set("traceparent", traceparent);
  const body = bodyOf(call, rendering);
  if (body !== undefined) headers.set("content-type", CONTENT_TYPE[configuration.send]);
  return {
    url: urlOf(configuration, task.configuration, rendering),
    method: configuration.method,
    headers,
    ownHeaders: ownHeaders(call, rendering),
    body,
  };
}

const CONTENT_TYPE = {
  json: "application/json",
  form: "application/x-www-form-urlencoded",
  text: "text/plain;charset=utf-8",
};

function urlOf(
  { url: template, query = {} }: HttpCall["configuration"],
  references: unknown,
  rendering: Rendering,
): URL {
  const text = rendering.text(template, undefined, percentEncoded) as string;
  if (steps(text)) {
    throw new FaultError(
      fault("TEMPLATE_VALUE_REFUSED", 'the input makes the URL\'s path step up or stay, by "." or ".."'),
    );
  }
  const url = new URL(text);
  const added = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const reference = ownOf(ownOf(references, "query"), name);
    for (const one of parameters(name, value, reference, rendering)) added.append(name, one);
  }
  // Appending to `searchParams` would write the URL's own query anew.
  if (added.size > 0) url.search = url.search === "" ? `${added}` : `${url.search}&${added}`;
  return url;
}

function percentEncoded(value: string, name: string): string {
  // `/users/` is another resource than `/users/7`.
  if (value === "") throw refusedValue(name, "is empty, and would change what the URL means");
  if (!value.isWellFormed()) throw refusedValue(name, "is no well-formed text");
  return encodeURIComponent(value);
}

function parameters(name: string, template: string, reference: unknown, rendering: Rendering): readonly string[] {
  const value = isReference(reference) ? template : rendering.value(template);
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  for (const one of list) {
    if (typeof one === "object") {
      const problem = `"query.${name}" can be a text, a number, a boolean or a list of those`;
      throw new FaultError(fault("TEMPLATE_VALUE_REFUSED", problem));
    }
  }
  return list.map((one) => String(one).toWellFormed());
}

function ownHeaders(call: HttpCall, rendering: Rendering): Headers {
  const { headers: templates = {}, bearer, idempotencyHeader, method } = call.configuration;
  const references = ownOf(call.task.configuration, "headers");
  const headers = new Headers();
  const reading = method === "GET" || method === "HEAD" || method === "OPTIONS";
  if (idempotencyHeader !== false && !reading) setHeader(headers, idempotencyHeader, call.key);
  if (bearer !== undefined) setHeader(headers, "Authorization", `Bearer ${bearer}`);
  for (const [name, template] of Object.entries(templates)) {
    const value = rendering.text(template, ownOf(references, name));
    if (value !== undefined) setHeader(headers, name, value);
  }
  return headers;
}

function setHeader(headers: Headers, name: string, value: string): void {
  if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)) {
    const problem = `the value of header "${name}" holds a line break, a control or a character beyond Latin-1`;
    throw new FaultError(fault("TEMPLATE_VALUE_REFUSED", problem));
  }
  headers.set(name, value);
}

function bodyOf({ configuration, task, input }: HttpCall, rendering: Rendering): string | undefined {
  const { method, send, body: template } = configuration;
  if (!hasBody(method) || (template === undefined && method === "DELETE")) return undefined;
  const value = template === undefined ? input : rendering.value(template, ownOf(task.configuration, "body"));
  if (value === undefined) return undefined;
  switch (send) {
    case "json":
      return JSON.stringify(value);
    case "text":
      if (typeof value === "object") throw badBody("text", "a text, a number or a boolean");
      return String(value);
    case "form":
      return form(value);
    default:
      return send satisfies never;
  }
}

function form(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badBody("form", "an object");
  const form = new URLSearchParams();
  for (const [name, inner] of Object.entries(value)) {
    for (const one of Array.isArray(inner) ? inner : [inner]) {
      if (typeof one === "object") throw badBody("form", "an object of texts, numbers, booleans or lists of those");
      form.append(name, String(one).toWellFormed());
    }
  }
  return form.toString();
}

function badBody(send: string, must: string): FaultError {
  return new FaultError(fault("TEMPLATE_VALUE_REFUSED", `"body" is sent as ${send}, and must come to ${must}`));
}
