// Turns a publication of another node into a message for this node's log. It comes from another administration, so that it is bounded and checked
// first. What does not fit is recorded as missed, with the reason, so that later publications are not held up.

import { type Message, type Origin, parseForwarded } from "@capstan/orchestrator";
import { type JsonLimits, plainJson } from "../../registry/plain-json.ts";
import { type Import, type ImportedPublication, importedPublication } from "./import-schema.ts";
import type { FarPublication, MissedOnce } from "./topics.ts";

/** A publication that arrived from another node, and the place that it follows on. */
export interface Arrival extends Pick<Import, "origin" | "from" | "after"> {
  readonly publication: FarPublication;
}

/** The kernel refuses messages with more hops (HOPS_EXCEEDED); each node adds one. */
const MOST_HOPS = 16;
const TOO_DEEP: MissedOnce = { why: "loop", text: `it is ${MOST_HOPS} causes deep: a loop over several nodes?` };

/** The same limits as for this node's own outputs (executor/task/plain-output.ts). */
const LIMITS: JsonLimits = { depth: 90, characters: 4 * 1024 * 1024 };

/** The message that imports a publication, and the context that it inherits from it, for `PluginRuntime.note(message, origin)`. */
export function importOf({ origin, from, after, publication: far }: Arrival): {
  readonly message: Message<Import>;
  readonly origin: Origin;
} {
  const hops = Number.isSafeInteger(far.hops) && far.hops >= 0 ? far.hops + 1 : Number.POSITIVE_INFINITY;
  const taken = hops > MOST_HOPS ? TOO_DEEP : publicationOf(far);
  const data: Import = {
    ...{ topic: far.topic, origin, from, cursor: far.cursor },
    ...(after === undefined ? {} : { after }),
    ...("why" in taken ? { missed: taken } : { publication: taken }),
  };
  return {
    message: { resource: "subscription", action: "import", data },
    origin: "why" in taken ? {} : { hops, ...contextOf(far) },
  };
}

/** An invalid correlation or trace is left out; the publication counts all the same. */
function contextOf({ correlation, traceparent }: FarPublication): Origin {
  const said = (option: object): Origin => {
    try {
      return parseForwarded(option);
    } catch {
      return {};
    }
  };
  return {
    ...(correlation === undefined ? {} : said({ correlation })),
    ...(traceparent === undefined ? {} : said({ traceparent })),
  };
}

function publicationOf(far: FarPublication): ImportedPublication | MissedOnce {
  if (far.omitted !== undefined) return tooLarge(`${far.omitted} characters are too much for the way`);
  const data = plainJson(far.data ?? null, LIMITS);
  if ("why" in data) {
    const where = data.pointer === "" ? "what was published" : `what was published, at ${data.pointer.slice(0, 100)},`;
    const text = `${where} ${data.why}`;
    return data.why.startsWith("is larger") ? tooLarge(text) : { why: "unfit", text };
  }
  const { id, at, principal, root } = far;
  const parsed = importedPublication.safeParse({
    ...{ id, at, data: data.json },
    ...(principal === undefined ? {} : { principal }),
    ...(root === undefined ? {} : { root }),
  });
  if (parsed.success) return parsed.data;
  const fields = [...new Set(parsed.error.issues.map(({ path }) => String(path[0])))].join(", ");
  return { why: "unfit", text: `its ${fields} cannot be what was published` };
}

function tooLarge(text: string): MissedOnce {
  return { why: "too-large", text };
}
