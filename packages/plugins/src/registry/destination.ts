// Decides where an action is performed: here, through a carrier, or where the caller says (`at`, `origin`). Pure.

import { type Envelope, nearest, printable, type Repeatable, type Table } from "@capstan/orchestrator";
import { z } from "zod";
import { type Address, type ElsewhereRow, elsewhereTable, neighbourTable } from "./elsewhere.ts";

const MOST_SEGMENTS = 16;
const SEGMENT = /^[A-Za-z0-9][\w.-]{0,63}$/;

/** The fields by which a caller may address a node. */
export const addressFields = {
  at: z
    .string()
    .max(1100)
    .refine((text) => isAddress(text), "must be a peer's name, or several divided by /, or an origin's node or domain")
    .optional()
    .describe("a peer, or peers on the way divided by /, or an origin's node or domain"),
  origin: z.string().regex(SEGMENT, "must be a node's id").optional().describe("the node that alone may do it"),
};

export interface Addressed {
  readonly name: string;
  readonly at?: string | undefined;
  readonly origin?: string | undefined;
}

/** The way that a call takes. */
export interface Course {
  /** The carrier: a key of `Elsewhere.carriers`. */
  readonly by: string;
  /** The neighbour to ask; `undefined` where the carrier chooses it, because it knows more paths than are noted here. */
  readonly node: string | undefined;
  /** The node that is to perform it; `undefined` where any may, because it is safe to do twice. */
  readonly origin: string | undefined;
  /** Whether the caller said that no other node may perform it. */
  readonly only: boolean;
  readonly repeatable: Repeatable | undefined;
  /** The digest of the schemas for which that is promised. */
  readonly digest?: string | undefined;
  readonly address: Address | undefined;
  readonly timeout: number | undefined;
  /** A text for `explain`. */
  readonly text: string;
}

/** Reads of rows: of a decision's state, or of a reader. */
interface Rows {
  get<Row>(table: Table<Row>, key: string): Row | undefined;
  rows<Row>(table: Table<Row>): Iterable<readonly [string, Row]>;
}

/** Where to perform it; `undefined` where the name is unknown. @param known whether the action is here */
export function destinationOf(
  asked: Addressed,
  { node: self, via }: Pick<Envelope, "node" | "via">,
  known: boolean,
  rows: Rows,
): "here" | Course | { readonly unreachable: string } | undefined {
  const { name, at, origin } = asked;
  const segments = at?.split("/") ?? [];
  while (segments[0] === self) segments.shift();
  const [first, ...rest] = segments;
  if (first === undefined && (origin === self || (origin === undefined && (known || at !== undefined)))) return "here";
  // Not read for an action that is here: session rows that a decision reads are recorded in its entry, and rehearsal needs them.
  const way = rows.get(elsewhereTable, name);
  if (first === undefined) {
    if (way === undefined) return origin === undefined ? undefined : unreachable(name, `nobody leads to ${origin}`);
    if (origin !== undefined && way.origin !== origin)
      return unreachable(name, `the way from here leads to ${way.origin}, not to ${origin}`);
    const pinned = origin ?? (way.repeatable === undefined ? way.origin : undefined);
    return { ...courseOf(way), origin: pinned, only: origin !== undefined, address: undefined, text: wayText(way) };
  }
  const neighbour = rows.get(neighbourTable, first);
  if (neighbour !== undefined) {
    const further = rest.length === 0 ? undefined : rest.join("/");
    const text = `at ${first}${further === undefined ? "" : `, for ${further}`}`;
    return {
      ...{ by: neighbour.by, node: neighbour.node, origin, only: origin !== undefined },
      ...{ repeatable: undefined, timeout: undefined, text },
      address: { neighbour: first, node: neighbour.node, ...(further === undefined ? {} : { further }) },
    };
  }
  // Other nodes are not told the names of our peers.
  if (rest.length > 0 || way === undefined)
    return unreachable(name, nobody(first, via.length === 0 ? rows : undefined));
  const course = { ...courseOf(way), only: false, address: { origin: first }, text: `at ${first}` };
  if (way.origin === first || way.path.at(-1) === first) return { ...course, origin: way.origin };
  // A way other than the best one may lead there, and the carrier knows all of them. Calls from other nodes may only use the best one.
  if (via.length > 0) return unreachable(name, nobody(first, undefined));
  return { ...course, node: undefined, origin: undefined, repeatable: undefined, digest: undefined };
}

function courseOf({ by, node, repeatable, digest, timeout }: ElsewhereRow) {
  return { by, node, repeatable, digest: repeatable && digest, timeout };
}

function wayText({ peer, path, origin }: ElsewhereRow): string {
  return `by ${peer}, of ${origin}${path.length > 1 ? `, through ${path.slice(0, -1).join(", ")}` : ""}`;
}

function unreachable(name: string, why: string) {
  return { unreachable: `${name}: ${why}` };
}

/** The fault for an unknown address. @param rows given where the caller may be told which others there are */
export function nobody(name: string, rows: Pick<Rows, "rows"> | undefined): string {
  const names = rows === undefined ? [] : [...rows.rows(neighbourTable)].map(([one]) => one);
  const suggestion = nearest(name, names);
  const hint = suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
  return `there is no session with a peer "${printable(name, 80)}", and no way to an origin of that id or domain${hint}`;
}

function isAddress(text: string): boolean {
  const segments = text.split("/");
  return segments.length <= MOST_SEGMENTS && segments.every((one) => SEGMENT.test(one));
}
