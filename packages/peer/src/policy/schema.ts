// What an operator may write as a routePolicy and as an owner list. The only definition of both; bounded, and strict, because a
// clause with a misspelt condition would match everything. Each refusal says what is wrong and what to do.

import { z } from "zod";
import { asLine, bytes32, identifier, line, ROUTE_NAME } from "../wire/names.ts";
import type { Owner, RoutePolicy } from "./route-policy.ts";

/** Clauses are read one after another where their names do not tell them apart. */
const MAX_CLAUSES = 1000;
/** Patterns of a policy or of an owner: what compile.test.ts is sure costs a lookup. */
const MAX_PATTERNS = 10_000;

/** An empty list would match nothing, and whoever wrote it meant everything or has lost what was to be in it. */
const EMPTY = "is empty and would match nothing: leave it out to match everything, or leave out the clause";

const pattern = z.string().superRefine((text, context) => {
  const shown = asLine(JSON.stringify(text), 100);
  if (text.slice(0, -1).includes("*")) {
    context.addIssue(`${shown} has a star that is not at its end: only the last character can stand for anything`);
  } else if (text !== "*" && !ROUTE_NAME.test(text)) {
    context.addIssue(`${shown} is no pattern: write \`action:greet\`, \`action:report.*\`, \`action:*\` or \`*\``);
  }
});
const patterns = z.array(pattern).min(1, EMPTY).max(MAX_PATTERNS, `has more than ${MAX_PATTERNS} patterns`);

const some = <T extends z.ZodType>(element: T) =>
  z.array(element).min(1, EMPTY).max(1000, "has more than 1000 entries");
const whole = (least: number, most: number) => {
  const text = `is not a whole number from ${least} to ${most}`;
  return z.int(text).min(least, text).max(most, text);
};

const match = z.strictObject({
  routes: patterns.exactOptional(),
  origins: some(identifier).exactOptional(),
  originDomains: some(identifier).exactOptional(),
  through: some(identifier).exactOptional(),
  maxPathLength: whole(0, 1024).exactOptional(),
  tags: some(identifier).exactOptional(),
  learnedFrom: some(identifier).exactOptional(),
});

const tags = z.array(identifier).min(1, "is empty: leave it out").max(32, "has more than 32 tags");
const set = z.strictObject({
  localPreference: whole(0, 4_294_967_295).exactOptional(),
  prepend: whole(1, 16).exactOptional(),
  addTags: tags.exactOptional(),
  removeTags: tags.exactOptional(),
});

const clauseName = line
  .min(1, "is empty: clauses are shown by their names")
  .max(64, "is longer than 64 characters")
  .refine((name) => name.trim() === name, "begins or ends with a blank");

const clause = z.strictObject({
  name: clauseName,
  then: z.enum(["accept", "reject"], 'is neither "accept" nor "reject"'),
  match: match.exactOptional(),
  set: set.exactOptional(),
  unowned: z.boolean("is neither true nor false").exactOptional(),
});
type Clause = z.output<typeof clause>;

const policy = z.strictObject({
  clauses: z.array(clause).max(MAX_CLAUSES, `has more than ${MAX_CLAUSES} clauses`),
});

export type Direction = "import" | "export";

/** What a clause of that direction cannot have: where, and why. */
function misplaced(
  { then, match, set, unowned }: Clause,
  direction: Direction,
): readonly [path: string[], text: string][] {
  const found: [string[], string][] = [];
  if (then === "reject") {
    if (set !== undefined)
      found.push([["set"], "stands in a clause that rejects: what is rejected has no attributes to set"]);
    if (unowned !== undefined) found.push([["unowned"], "stands in a clause that rejects: it lets routes in"]);
  }
  if (direction === "import") {
    if (set?.prepend !== undefined)
      found.push([["set", "prepend"], "is of export alone: we prepend where a route leaves us"]);
    if (match?.learnedFrom !== undefined) {
      found.push([["match", "learnedFrom"], "is of export alone: this policy is of one peer already"]);
    }
  } else if (unowned !== undefined) {
    found.push([["unowned"], "is of import alone: what was not let in is not there to be exported"]);
  }
  return found;
}

const policyFor = (direction: Direction): z.ZodType<RoutePolicy> =>
  policy.superRefine(({ clauses }, context) => {
    const positions = new Map<string, number>();
    let patterns = 0;
    for (const [at, clause] of clauses.entries()) {
      for (const [path, message] of misplaced(clause, direction)) {
        context.addIssue({ code: "custom", path: ["clauses", at, ...path], message });
      }
      const before = positions.get(clause.name);
      if (before !== undefined) {
        const message = `${JSON.stringify(clause.name)} is the name of clauses[${before}] already: give each its own`;
        context.addIssue({ code: "custom", path: ["clauses", at, "name"], message });
      }
      positions.set(clause.name, at);
      patterns += clause.match?.routes?.length ?? 0;
    }
    if (patterns > MAX_PATTERNS) {
      const message = `have ${patterns} patterns together, and ${MAX_PATTERNS} is the most: use prefixes, such as \`action:report.*\``;
      context.addIssue({ code: "custom", path: ["clauses"], message });
    }
  });

/** The schemas of policies, by direction. */
export const routePolicySchema: Readonly<Record<Direction, z.ZodType<RoutePolicy>>> = {
  import: policyFor("import"),
  export: policyFor("export"),
};

/** The schema of an entry of an owner list. */
export const ownerSchema: z.ZodType<Owner> = z.strictObject({
  routes: z
    .array(pattern)
    .min(1, "is empty: an owner of nothing needs no entry")
    .max(MAX_PATTERNS, `has more than ${MAX_PATTERNS} patterns`),
  node: identifier,
  // Without a key anybody could sign in its name; more than two are not a rotation.
  keys: z
    .array(bytes32)
    .min(1, "is empty: an owner proves itself by its key")
    .max(2, "has more than the current key and the next"),
});
