// What a request for a stream asks: which publications, from where, in which form. Whatever it says that is not known is refused:
// a misspelt `from` would otherwise be a gap that nobody sees.

import { type Fault, fault, nearest, printable } from "@capstan/orchestrator";

export interface AskedStream {
  readonly topic?: string;
  readonly id?: string;
  /** "now", "start", or a cursor. */
  readonly after?: string;
  readonly cloudEvents: boolean;
}

const KNOWN = ["topic", "subscription", "from", "lastEventId", "format"];
const FORMATS = ["publication", "cloudevents"];
const CLOUD_EVENTS = "application/cloudevents+json";
const CREDENTIAL = /token|credential|secret|key|auth/i;

export function askedStream(request: Request): AskedStream | Fault {
  const said = new Map<string, string>();
  for (const [name, value] of new URL(request.url).searchParams) {
    const unknown = KNOWN.includes(name) ? undefined : unknownName(name);
    if (unknown !== undefined) return unknown;
    if (said.has(name)) return invalid(`"${name}" is said twice; a topic may end in *, and then is all that begin so`);
    said.set(name, value);
  }
  const topic = said.get("topic");
  const id = said.get("subscription");
  if ((topic === undefined) === (id === undefined)) {
    return invalid(
      'say what to follow: either "topic", such as ?topic=action.greet, or "subscription", such as ?subscription=s-…',
    );
  }
  const format =
    said.get("format") ?? (request.headers.get("accept")?.includes(CLOUD_EVENTS) ? "cloudevents" : "publication");
  if (!FORMATS.includes(format)) return invalid(`"format" is one of ${FORMATS.join(", ")}`);
  // Whoever was cut off says how far it came, and that counts: its first request's `from` is said again with it.
  const resumed = request.headers.get("last-event-id") || said.get("lastEventId") || undefined;
  if (resumed === "now" || resumed === "start") {
    return fault(
      "CURSOR_INVALID",
      `Last-Event-ID: "${resumed}" is no cursor; it is the id of the last event that arrived`,
    );
  }
  const after = resumed ?? said.get("from") ?? (id === undefined ? "now" : undefined);
  return {
    ...(topic === undefined ? {} : { topic }),
    ...(id === undefined ? {} : { id }),
    ...(after === undefined ? {} : { after }),
    cloudEvents: format === "cloudevents",
  };
}

function unknownName(name: string): Fault {
  if (CREDENTIAL.test(name)) {
    return invalid("a credential in an address is kept by logs and histories; say it as `Authorization: Bearer …`");
  }
  const suggestion = nearest(name, KNOWN);
  const hint = suggestion === undefined ? `there is ${KNOWN.join(", ")}` : `did you mean "${suggestion}"?`;
  return invalid(`unknown "${printable(name, 80)}"; ${hint}`);
}

function invalid(text: string): Fault {
  return fault("MESSAGE_INVALID", `/events: ${text}`);
}
