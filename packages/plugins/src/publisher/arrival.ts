// A publication of another node, as this node's log will have it: another administration's word, bounded and checked before it is
// noted. What does not fit is noted as missed, with why, so that what comes after it is not held up.

import { type Message, type Origin, parseForwarded } from "@capstan/orchestrator";
import { type JsonLimits, plainJson } from "../registry/plain-json.ts";
import type { FarPublication, MissedOnce } from "./elsewhere.ts";
import { type Import, type ImportedPublication, importedPublication } from "./import-schema.ts";

export interface Arrival extends Pick<Import, "origin" | "from" | "after"> {
  readonly publication: FarPublication;
}

/** What is deeper the kernel refuses (DESIGN.md §3, HOPS_EXCEEDED), and each node that it comes to is a cause more. */
const MOST_HOPS = 16;
const TOO_DEEP: MissedOnce = { why: "loop", text: `it is ${MOST_HOPS} causes deep: a loop over several nodes?` };

/** As an output of this node's own would have to be (executor/plain-output.ts). */
const LIMITS: JsonLimits = { depth: 90, bytes: 4 * 1024 * 1024 };

/** The message that takes a publication in, and what it inherits from it: `PluginRuntime.note(message, origin)`. */
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

/** What cannot be its correlation or its trace is left out: it is what it is without. */
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
