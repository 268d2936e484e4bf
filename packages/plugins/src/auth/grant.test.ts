// Whether a grant is alive and how wide one made under it may be, as pure functions of the state.

import { describe, expect, test } from "bun:test";
import type { Fault, State } from "@capstan/orchestrator";
import fc from "fast-check";
import { firstMatch, namespaceCovers } from "../clause.ts";
import { allow, isFault, type Limits, lineage, NODE, within } from "./grant.ts";
import { type GrantRow, type PrincipalRow, principalTable } from "./schema.ts";

const grant = (id: string, over: Partial<GrantRow> = {}): GrantRow => ({
  ...{ id, principal: "bob", parent: "g-1", allow: ["*"], read: ["*"], write: ["*"], delegable: true, by: "a", at: 0 },
  ...over,
});

/** Only what `lineage` reads of a state. */
function stateOf(grants: readonly GrantRow[], principals: readonly PrincipalRow[] = []): State {
  const get = (table: { readonly name: string }, key: string): unknown =>
    table.name === principalTable.name
      ? principals.find(({ name }) => name === key)
      : grants.find(({ id }) => id === key);
  return { get, put: () => stateOf(grants), remove: () => stateOf(grants), rows: () => [] } as unknown as State;
}

const root: GrantRow = { ...grant("g-1", { principal: "admin" }), parent: undefined } as never;
const line = [root, grant("g-2"), grant("g-3", { parent: "g-2" }), grant("g-4", { parent: "g-3" })];
const replaced = (id: string, over: Partial<GrantRow>) =>
  line.map((one) => (one.id === id ? { ...one, ...over } : one));
const codeAt = (state: State, id: string, at = 10) => {
  const found = lineage(state, id, at);
  return isFault(found) ? `${found.code} ${found.message}` : found.map((one) => one.id).join(" ");
};

describe("a grant's line", () => {
  test("is itself and those that it was made under, nearest first", () => {
    expect(codeAt(stateOf(line), "g-4")).toBe("g-4 g-3 g-2 g-1");
    expect(lineage(stateOf([]), "node", 10)).toEqual([NODE]);
    expect(codeAt(stateOf([grant("g-2", { parent: "node" })]), "g-2")).toBe("g-2");
  });

  test("is over where any of it was revoked, is missing, or has expired", () => {
    expect(codeAt(stateOf(replaced("g-4", { revoked: 5 })), "g-4")).toBe(
      "GRANT_REVOKED g-4 was revoked; ask for another",
    );
    expect(codeAt(stateOf(replaced("g-2", { revoked: 5 })), "g-4")).toStartWith(
      "GRANT_REVOKED g-4 was made under g-2, which was revoked",
    );
    expect(codeAt(stateOf(replaced("g-3", { expires: 10 })), "g-4")).toStartWith(
      "GRANT_EXPIRED g-4 was made under g-3, which expired at 1970-01-01T00:00:00.010Z",
    );
    expect(codeAt(stateOf(replaced("g-3", { expires: 11 })), "g-4")).toBe("g-4 g-3 g-2 g-1");
    expect(codeAt(stateOf(line.slice(1)), "g-4")).toStartWith("GRANT_UNKNOWN there is no grant g-1");
  });

  test("is over where the principal of any of it was revoked", () => {
    const gone = [{ name: "admin", by: "a", at: 0, revoked: 5 }];
    expect(codeAt(stateOf(line, gone), "g-4")).toStartWith(
      "GRANT_REVOKED g-4 was made under g-1, which is of admin, who was revoked",
    );
  });

  test("that goes round in a circle ends", () => {
    const circle = [grant("g-2", { parent: "g-3" }), grant("g-3", { parent: "g-2" })];
    expect(codeAt(stateOf(circle), "g-2")).toStartWith("GRANT_UNKNOWN g-2: more than");
  });
});

describe("what a grant allows", () => {
  const asked = { resource: "action", verb: "perform", name: "team/greet" };

  test("is told with the clause that decided", () => {
    expect(allow(grant("g-2", { allow: ["log.*", "action.perform"] }), undefined, asked, "write")).toEqual({
      clause: "action.perform",
    });
    expect(allow(grant("g-2", { allow: ["action.list"] }), undefined, asked, "write")).toMatchObject({
      kind: "refused",
      error: { code: "REFUSED", message: "g-2 allows action.list; asked action.perform:team/greet" },
      clause: 'clause 1: verb "perform" is not "list"',
    });
    expect(allow(grant("g-2", { allow: ["log.*", "grant.*"] }), undefined, asked, "write")).toMatchObject({
      clause: "none of 2 clauses covers action.perform:team/greet",
    });
  });

  test("lies in the namespaces that it reads or writes", () => {
    const one = grant("g-2", { read: ["team"], write: ["default"] });
    expect(allow(one, undefined, asked, "read")).toEqual({ clause: "*" });
    expect(allow(one, undefined, asked, "write")).toMatchObject({
      error: {
        code: "NAMESPACE_REFUSED",
        message: 'g-2 may write default; asked action.perform:team/greet, in "team"',
      },
    });
    expect(allow(one, undefined, { resource: "log", verb: "list", name: undefined }, "write")).toEqual({ clause: "*" });
  });

  test("is narrowed by `may`, of which nothing is nothing", () => {
    expect(allow(grant("g-2"), ["action.perform:team/*"], asked, "write")).toEqual({ clause: "*" });
    expect(allow(grant("g-2"), ["action.list"], asked, "write")).toMatchObject({ error: { code: "REFUSED" } });
    expect(allow(grant("g-2"), [], asked, "write")).toMatchObject({ clause: "may: nothing" });
  });
});

describe("a grant made under another", () => {
  const limits = within(
    grant("g-2", { allow: ["action.*"], read: ["a"], write: [], expires: 99, uses: 3 }),
    undefined,
    {
      allow: ["action.perform:a/*"],
    },
  );

  test("has what is not said from the one above, and is not passed on unless that is said", () => {
    expect(limits).toEqual({ allow: ["action.perform:a/*"], read: ["a"], write: [], expires: 99, delegable: false });
  });

  test("is wider in no field", () => {
    const parent = grant("g-2", { allow: ["action.*"], read: ["a"], write: ["a"], expires: 99, uses: 3 });
    const wider: readonly Limits[] = [
      { allow: ["log.list"] },
      { allow: ["*"] },
      { allow: ["action.list", "grant.list"] },
      { allow: ["action.*"], read: ["b"] },
      { allow: ["action.*"], write: ["*"] },
      { allow: ["action.*"], expires: 100 },
      { allow: ["action.*"], uses: 4 },
    ];
    for (const one of wider) expect((within(parent, undefined, one) as Fault).code).toBe("GRANT_WIDER");
    expect((within(grant("g-2"), ["log.*"], { allow: ["action.list"] }) as Fault).code).toBe("GRANT_WIDER");
    expect((within(grant("g-2", { delegable: false }), undefined, { allow: ["*"] }) as Fault).code).toBe(
      "GRANT_NOT_DELEGABLE",
    );
  });

  test("never widens, whatever is asked of whom", () => {
    const names = fc.constantFrom("a", "ab", "a*", "a**", "*", "a/b", "a/*");
    const clauses = fc
      .tuple(fc.constantFrom("action", "log", "*"), fc.constantFrom("list", "perform", "*"), fc.option(names))
      .map(([resource, verb, name]) => `${resource}.${verb}${name === null ? "" : `:${name}`}`);
    const spaces = fc.array(fc.constantFrom("a", "a/b", "b", "*", "default"), { maxLength: 3 });
    const ends = fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined });
    const asks = fc.record({
      allow: fc.array(clauses, { minLength: 1, maxLength: 3 }),
      read: fc.option(spaces, { nil: undefined }),
      write: fc.option(spaces, { nil: undefined }),
      ...{ expires: ends, uses: ends, delegable: fc.boolean() },
    });
    const questions = fc.record({
      resource: fc.constantFrom("action", "log"),
      verb: fc.constantFrom("list", "perform"),
      name: fc.option(fc.constantFrom("a", "ab", "a/b", "a*", "b", "*"), { nil: undefined }),
    });
    let allowed = 0;
    fc.assert(
      fc.property(asks, fc.option(fc.array(clauses), { nil: undefined }), asks, questions, (above, may, below, one) => {
        const parent = { ...grant("g-2"), ...above, read: above.read ?? [], write: above.write ?? [] } as GrantRow;
        const made = within(parent, may, below);
        if ("code" in made) return;
        allowed++;
        expect(parent.delegable).toBe(true);
        if (firstMatch(made.allow, one) >= 0) {
          expect(firstMatch(parent.allow, one)).toBeGreaterThanOrEqual(0);
          if (may !== undefined) expect(firstMatch(may, one)).toBeGreaterThanOrEqual(0);
        }
        for (const right of ["read", "write"] as const)
          for (const space of ["a", "a/b", "b", "default", "else"])
            if (namespaceCovers(made[right], space)) expect(namespaceCovers(parent[right], space)).toBe(true);
        if (parent.expires !== undefined) expect(made.expires).toBeLessThanOrEqual(parent.expires);
        if (parent.uses !== undefined && made.uses !== undefined) expect(made.uses).toBeLessThanOrEqual(parent.uses);
      }),
      { seed: 7420, numRuns: 20_000 },
    );
    expect(allowed).toBeGreaterThan(100);
  });
});
