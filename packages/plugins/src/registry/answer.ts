// Lists and shows actions, here and elsewhere: by pages, as far as the caller's grant may read.

import {
  type Authority,
  type Envelope,
  FaultError,
  fault,
  faultOf,
  namespaceOf,
  type Reader,
} from "@capstan/orchestrator";
import { SCHEMA_LIMITS } from "./compiled-schema.ts";
import { type Addressed, type Course, destinationOf } from "./destination.ts";
import { digestOf } from "./digest.ts";
import { type Carrier, type ElsewhereRow, elsewhereTable, shownWay } from "./elsewhere.ts";
import { plainJson } from "./plain-json.ts";
import { type ActionRow, actionTable, topicOf } from "./schema.ts";
import { unknownAction } from "./unknown-action.ts";

const PAGE = 100;

export function answerList(envelope: Envelope, reader: Reader, authority: Authority) {
  const {
    namespace,
    after,
    limit = PAGE,
  } = envelope.message.data as { namespace?: string; after?: string; limit?: number };
  const page = new FirstNames(limit + 1);
  const consider = (name: string): void => {
    if (after !== undefined && name <= after) return;
    if (namespace !== undefined && namespaceOf(name) !== namespace && !name.startsWith(`${namespace}/`)) return;
    if (page.wants(name) && authority.reads(name)) page.add(name);
  };
  for (const [name] of reader.rows(actionTable)) consider(name);
  for (const [name] of reader.rows(elsewhereTable)) if (reader.get(actionTable, name) === undefined) consider(name);
  const names = page.sorted();
  const items = names.slice(0, limit).flatMap((name) => shown(reader, name) ?? []);
  const last = items[items.length - 1];
  return { items, ...(names.length > limit && last !== undefined ? { next: last.name } : {}) };
}

function shown(reader: Reader, name: string) {
  const row = reader.get(actionTable, name);
  if (row !== undefined) {
    const { revision, protocol, input, output, idempotent, readOnly } = row;
    return structuredClone({ name, revision, protocol, input, output, idempotent, readOnly });
  }
  const way = reader.get(elsewhereTable, name);
  return way === undefined ? undefined : shownElsewhere(name, way);
}

/** Without a revision: that is counted by its origin. */
function shownElsewhere(name: string, way: ElsewhereRow) {
  return { name, revision: 0, protocol: way.by, elsewhere: shownWay(way) };
}

/** Collects the first names, in order, out of very many, without sorting them all. */
class FirstNames {
  readonly #most: number;
  #names: string[] = [];
  /** The last of the names collected so far, once there are enough: later ones are dropped. */
  #last: string | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  wants(name: string): boolean {
    return this.#last === undefined || name < this.#last;
  }

  add(name: string): void {
    this.#names.push(name);
    if (this.#names.length >= this.#most * 4) {
      this.#names = this.sorted();
      this.#last = this.#names[this.#most - 1];
    }
  }

  sorted(): string[] {
    return this.#names.sort().slice(0, this.#most);
  }
}

type Answer = (envelope: Envelope, reader: Reader, authority: Authority) => unknown;
type Carriers = ReadonlyMap<string, Carrier>;

export function answerDescribe(carriers: Carriers): Answer {
  return (envelope, reader, authority) => {
    const { name } = envelope.message.data as Addressed;
    const found = whereIs(envelope, reader, authority);
    // A copy, because the row is part of the state, and a program that embeds the orchestrator gets this very object.
    if ("here" in found)
      return structuredClone({ ...found.here, publishes: { topic: topicOf(name), schema: found.here.output } });
    const known = {
      name,
      revision: 0,
      protocol: found.course.by,
      ...(found.way && { elsewhere: shownWay(found.way) }),
    };
    return schemasThere(carriers, envelope, found).then(
      (schemas) => ({ ...known, ...schemas }),
      (thrown) => {
        // The action exists all the same, so that the rest is answered.
        const { code, message } = faultOf(thrown);
        return { ...known, untold: `${code} ${message}` };
      },
    );
  };
}

/** Answers an action's schemas, and nothing of its configuration: for callers on other nodes. */
export function answerSchemas(carriers: Carriers): Answer {
  return (envelope, reader, authority) => {
    const { name } = envelope.message.data as Addressed;
    const found = whereIs(envelope, reader, authority);
    if ("here" in found) return structuredClone({ name, input: found.here.input, output: found.here.output });
    return schemasThere(carriers, envelope, found);
  };
}

interface Elsewhere {
  readonly course: Course;
  /** The noted way, where the call takes that one: its digest is signed. */
  readonly way: ElsewhereRow | undefined;
}

function whereIs(envelope: Envelope, reader: Reader, authority: Authority): { readonly here: ActionRow } | Elsewhere {
  const asked = envelope.message.data as Addressed;
  const { name } = asked;
  const row = reader.get(actionTable, name);
  const course = destinationOf(asked, envelope, row !== undefined, reader);
  if (typeof course === "object" && "unreachable" in course)
    throw new FaultError(fault("SCHEMAS_UNKNOWN", course.unreachable));
  if (course === "here" && row !== undefined) return { here: row };
  if (course === undefined || course === "here") {
    const known = [...reader.rows(actionTable)].map(([one]) => one).filter((one) => authority.reads(one));
    throw new FaultError(unknownAction(name, known));
  }
  const way = reader.get(elsewhereTable, name);
  const { address } = course;
  const isNoted = address === undefined || (course.node === way?.node && !("further" in address && address.further));
  return { course, way: isNoted ? way : undefined };
}

/** Asks the carrier for the schemas, and accepts them where they fit the digest that their origin signed. */
async function schemasThere(carriers: Carriers, envelope: Envelope, { course, way }: Elsewhere) {
  const { node, via, hops, correlation, traceparent } = envelope;
  const { name } = envelope.message.data as Addressed;
  const { origin, only, address } = course;
  const carrier = carriers.get(course.by);
  const lost = (why: string) => new FaultError(fault("SCHEMAS_UNKNOWN", `${name}: ${why}`));
  if (carrier === undefined || via.includes(node) || hops >= MOST_HOPS) throw lost("nobody can be asked for them now");
  const told = await carrier.describe({ name, via, hops, correlation, traceparent, origin, only, address });
  const { input, output } = Object(told) as { readonly input?: unknown; readonly output?: unknown };
  const plain = plainJson({ input, output }, BOTH_SCHEMAS);
  if ("why" in plain) throw lost(`what was told ${course.text} ${plain.why}`);
  const schemas = plain.json as { input: unknown; output: unknown };
  // For an addressed node that is on no noted way there is no signed digest: its answer is taken as it is.
  if (way !== undefined && digestOf(schemas) !== way.digest)
    throw lost(`what ${way.peer} told is not what ${way.origin} signed`);
  return { name, ...schemas };
}

/** A call with so many hops is not passed on any further. */
const MOST_HOPS = 16;
const BOTH_SCHEMAS = { depth: SCHEMA_LIMITS.depth + 1, bytes: 2 * SCHEMA_LIMITS.bytes + 100 };
