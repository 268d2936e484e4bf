// Clauses, of grants and of what an action's code may ask for: `resource.verb:name`. `*` stands for any resource, verb or name; a name may end in `*`; without a name
// a clause covers every name. Pure text; whether a grant is alive is grant.ts's to say.

export interface Clause {
  readonly resource: string;
  readonly verb: string;
  /** `undefined` covers every name, and messages about none. */
  readonly name: string | undefined;
}

/** What was asked, in the form that clauses are matched against. */
export interface Asked {
  readonly resource: string;
  readonly verb: string;
  readonly name: string | undefined;
}

// A name holds nothing that a terminal or a page would act on, and no blank.
const CLAUSE = /^(\*|[a-z][A-Za-z0-9]*)(?:\.(\*|[a-z][A-Za-z0-9]*))?(?::([^\p{Cc}\p{Cf}\s]+))?$/u;

const parsed = new Map<string, Clause | undefined>();
// Clauses are few and repeated; the bound only keeps a hostile caller from growing the cache.
const MOST_PARSED = 10_000;

/** `undefined` where the text is no clause. */
export function parseClause(text: string): Clause | undefined {
  if (parsed.has(text)) return parsed.get(text);
  const match = CLAUSE.exec(text);
  const clause = match === null ? undefined : { resource: match[1] as string, verb: match[2] ?? "*", name: match[3] };
  if (parsed.size >= MOST_PARSED) parsed.clear();
  parsed.set(text, clause);
  return clause;
}

export function formatAsked({ resource, verb, name }: Asked): string {
  return `${resource}.${verb}${name === undefined ? "" : `:${name}`}`;
}

export function matches(clause: Clause, asked: Asked): boolean {
  return mismatch(clause, asked) === undefined;
}

/** Why a clause does not cover what was asked, in words; `undefined` where it does. */
export function mismatch(clause: Clause, asked: Asked): string | undefined {
  if (clause.resource !== "*" && clause.resource !== asked.resource) {
    return `resource "${asked.resource}" is not "${clause.resource}"`;
  }
  if (clause.verb !== "*" && clause.verb !== asked.verb) return `verb "${asked.verb}" is not "${clause.verb}"`;
  if (clause.name === undefined || clause.name === "*") return undefined;
  if (asked.name === undefined) return `it is about "${clause.name}", and this is about no name`;
  return nameCovers(clause.name, asked.name) ? undefined : `name "${asked.name}" is not "${clause.name}"`;
}

/** The index of the first clause that covers what was asked; -1 where none does. */
export function firstMatch(clauses: readonly string[], asked: Asked): number {
  for (let i = 0; i < clauses.length; i++) {
    const clause = parseClause(clauses[i] as string);
    if (clause !== undefined && matches(clause, asked)) return i;
  }
  return -1;
}

/** Whether everything that `inner` covers is covered by `outer`. */
export function covers(outer: Clause, inner: Clause): boolean {
  if (outer.resource !== "*" && outer.resource !== inner.resource) return false;
  if (outer.verb !== "*" && outer.verb !== inner.verb) return false;
  if (outer.name === undefined) return true;
  if (inner.name === undefined) return false;
  if (outer.name === "*") return true;
  // A pattern is no name: "a*" is not within "a**", though the text "a*" starts with "a*".
  if (!inner.name.endsWith("*")) return nameCovers(outer.name, inner.name);
  return outer.name.endsWith("*") && prefixOf(inner.name).startsWith(prefixOf(outer.name));
}

function nameCovers(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(prefixOf(pattern)) : pattern === name;
}

function prefixOf(pattern: string): string {
  return pattern.slice(0, -1);
}

/** Whether a right on one of `namespaces` covers `namespace`: `a` covers `a/b`, `*` covers all. */
export function namespaceCovers(namespaces: readonly string[], namespace: string): boolean {
  return namespaces.some((one) => one === "*" || one === namespace || namespace.startsWith(`${one}/`));
}

/** What of `clauses` stays within `by` as well: a holder narrowed twice has what both leave. */
export function narrow(clauses: readonly string[], by: readonly string[] | undefined): readonly string[] {
  if (by === undefined) return clauses;
  const outers = by.map(parseClause);
  const inners = clauses.map(parseClause);
  const kept = clauses.filter((_, i) =>
    outers.some((outer) => outer && inners[i] && covers(outer, inners[i] as Clause)),
  );
  const narrower = by.filter((_, i) =>
    inners.some((inner) => inner && outers[i] && covers(inner, outers[i] as Clause)),
  );
  return [...new Set([...kept, ...narrower])];
}
