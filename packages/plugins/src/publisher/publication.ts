// A publication is an entry of the log whose verdicts say `publishes`: nothing else is kept of it. Here it is read back, whoever
// published it.

import {
  type Awaitable,
  type DecodedEntry,
  decodeEntry,
  deepFreeze,
  type Reader,
  type StoredEntry,
  type Trace,
} from "@capstan/orchestrator";
import { cursorAt } from "./cursor.ts";
import type { Import, ImportedPublication } from "./elsewhere/import-schema.ts";
import { actionIn } from "./topic.ts";

/** As subscribers see it. */
export interface Publication {
  readonly topic: string;
  /** Everything up to it is behind this: to be read on from. */
  readonly cursor: string;
  /** Id of the message that was published. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly data: unknown;
  readonly action?: string;
  /** On whose behalf. */
  readonly principal?: string;
  readonly correlation?: string;
  /** Where it was published, if not here: `id`, `at`, `principal` and `correlation` are what is said of it there. */
  readonly origin?: PublicationOrigin;
}

export interface PublicationOrigin {
  readonly node: string;
  /** Its place in that node's log. */
  readonly cursor: string;
  readonly id: string;
}

/** A publication with what only deliveries look at. */
export interface Published {
  readonly entry: number;
  readonly topic: string;
  readonly publication: Publication;
  /** Id of the message of this log that published it: what others came of has it as their cause. */
  readonly message: string;
  /** Of one that was published elsewhere: the publication that a receiver was handed first, of all that led to it, or itself (`rootBy`). */
  readonly root: string | undefined;
  /** Id of the message that led to the one that was published. */
  readonly cause: string | undefined;
  /** How many causes deep it was. */
  readonly hops: number;
  readonly traceparent: string | undefined;
  /** UTF-16 code units: what it costs to keep and to send, about. */
  readonly size: number;
}

interface Body {
  readonly data?: unknown;
  readonly correlation?: string;
  readonly traceparent?: string;
  readonly hops?: number;
}

const MARK = '"publishes":"';
/** How the line begins of a trace that is kept beside its entry. */
const TRACE_BESIDE = "\nT";
const BODY_BESIDE = "\nB";
const NO_TOPICS: readonly string[] = Object.freeze([]);
const NONE: readonly Published[] = Object.freeze([]);

/** Messages whose data is more than what they publish. */
const OUTPUTS: ReadonlySet<string> = new Set(["execution.complete", "action.publish"]);
export const IMPORT = "subscription.import";

/**
 * Topics that an entry may publish under, by a look at its text: more than it does, perhaps, and never less. `undefined` where
 * the text does not hold all of it.
 */
export function topicsOf({ text }: StoredEntry): readonly string[] | undefined {
  if (text.includes(TRACE_BESIDE) || text.includes(BODY_BESIDE)) return undefined;
  let at = text.indexOf(MARK);
  if (at < 0) return NO_TOPICS;
  const topics: string[] = [];
  for (; at >= 0; at = text.indexOf(MARK, at)) {
    at += MARK.length;
    topics.push(text.slice(at, text.indexOf('"', at)));
  }
  return topics;
}

/** What an entry publishes, in order: one thing, or nothing, as a rule. What was erased is published no more. */
export function publishedBy(stored: StoredEntry, reader: Reader): Awaitable<readonly Published[]> {
  const { text } = stored;
  if (!text.includes(MARK) && !text.includes(TRACE_BESIDE)) return NONE;
  const entry = decodeEntry(stored);
  if (entry.header.verdict !== "done") return NONE;
  const trace = reader.part(entry, "t");
  if (!(trace instanceof Promise)) return published(stored, entry, trace as Trace | undefined, reader);
  return trace.then((one) => published(stored, entry, one as Trace | undefined, reader));
}

function published(
  { text }: StoredEntry,
  entry: DecodedEntry,
  trace: Trace | undefined,
  reader: Reader,
): Awaitable<readonly Published[]> {
  const own = topicIn(trace?.verdicts);
  const outcome = topicIn(trace?.outcome?.verdicts);
  if (own === undefined && outcome === undefined) return NONE;
  const made = (body: unknown): readonly Published[] => {
    const { header, seq } = entry;
    const { data, correlation, traceparent, hops = 0 } = (body ?? {}) as Body;
    const common = { entry: seq, message: header.id, cause: header.cause, hops, traceparent };
    const beside = text.includes(TRACE_BESIDE) || text.includes(BODY_BESIDE);
    // A message of the node's own says on whose behalf it is (publisher.ts).
    const { principal = header.principal } = (trace?.data ?? {}) as { readonly principal?: string };
    const one = (topic: string, name: string, given: unknown, by: string): Published => {
      const action = actionIn(topic);
      const far = name === IMPORT ? (given as Import) : undefined;
      const said = far?.publication;
      // One for all who read it, whoever they are.
      const publication: Publication = deepFreeze({
        topic,
        cursor: cursorAt(seq, reader.proofs),
        id: said?.id ?? header.id,
        at: said?.at ?? header.at,
        data: dataOf(name, given),
        ...(action === undefined ? {} : { action }),
        ...(said === undefined ? { principal: by } : principalOf(said)),
        ...(correlation === undefined ? {} : { correlation }),
        ...(far === undefined || said === undefined
          ? {}
          : { origin: { node: far.origin, cursor: far.cursor, id: said.id } }),
      });
      const size = beside ? text.length + (JSON.stringify(publication.data)?.length ?? 0) : text.length;
      return { ...common, topic, publication, root: far && rootBy(far), size };
    };
    return [
      ...(own === undefined || body === undefined ? [] : [one(own, header.message, data, principal)]),
      ...(outcome === undefined || trace?.outcome === undefined
        ? []
        : [one(outcome, trace.outcome.message, trace.outcome.data, header.principal)]),
    ];
  };
  const body = reader.part(entry, "b");
  return body instanceof Promise ? body.then(made) : made(body);
}

/** The publication that a receiver was handed first, of all that led to what an entry imports; nothing where it was erased. */
export async function rootOfImport(entry: DecodedEntry, reader: Reader): Promise<string | undefined> {
  const said = ((await reader.part(entry, "b")) as { readonly data?: Import } | undefined)?.data;
  return said && rootBy(said);
}

/**
 * `n-7f3a m-01J8…`: which publication it was, and which node says so. What one says that its publications came of is counted apart from
 * what came of that here: it could say so of any that it has heard of, and have others' receivers stopped.
 */
function rootBy({ origin, publication }: Import): string | undefined {
  return publication && `${origin} ${publication.root ?? publication.id}`;
}

/** The publication alone, as other nodes are told of it. */
export function idOfRoot(root: string): string {
  return root.slice(root.indexOf(" ") + 1);
}

function dataOf(name: string, given: unknown): unknown {
  if (name === IMPORT) return (given as Import).publication?.data ?? null;
  return OUTPUTS.has(name) ? ((given as { readonly output?: unknown }).output ?? null) : given;
}

function principalOf({ principal }: ImportedPublication): { readonly principal?: string } {
  return principal === undefined ? {} : { principal };
}

function topicIn(verdicts: Trace["verdicts"] | undefined): string | undefined {
  return verdicts?.find(({ publishes }) => publishes !== undefined)?.publishes;
}
