// What docs/peering.md says of the code is what the code says: limits, timings, the decision's list, reasons for filtering,
// conditions of clauses. Its program is run by test/docs; the wire's page has a test of its own.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { comparators } from "./decision/decide-best.ts";
import { defaultLimits } from "./limits/default-limits.ts";
import type { RouteLimit } from "./limits/route-limit.ts";
import { parseRoutePolicy } from "./policy/parse.ts";
import type { RouteClause, RouteMatch } from "./policy/route-policy.ts";
import { ownerSchema } from "./policy/schema.ts";
import { DEFAULT_PREFERENCE, type Filtered } from "./rib/path.ts";
import { defaultTiming } from "./speaker/default-timing.ts";
import { LEAVES } from "./wire/message.ts";

const page = await Bun.file(join(import.meta.dir, "..", "..", "..", "docs", "peering.md")).text();

function section(title: string): string {
  const found = page.split(`\n## ${title}\n`)[1]?.split("\n## ")[0];
  if (found === undefined) throw new Error(`docs/peering.md has no section "${title}"`);
  return found;
}

/** Rows of the section's tables whose first cell is code: the cell's names, and the cell behind it. */
function rows(title: string): (readonly [names: string, second: string])[] {
  return [...section(title).matchAll(/^\| (`[^|]+`) \|([^|]*)\|/gm)].map(
    ([, names, second]) => [(names as string).replaceAll("`", ""), (second as string).trim()] as const,
  );
}

const names = (title: string): string[] => rows(title).map(([name]) => name);

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `50,000`, `0.75`, `5 min` (milliseconds), `restart`. */
function value(cell: string): number | string {
  const [number = "", unit] = cell.replaceAll(",", "").split(" ");
  if (unit !== undefined) return Number(number) * (UNITS[unit] ?? Number.NaN);
  return Number.isNaN(Number(number)) ? number : Number(number);
}

/** `{ routes: { warnAt: 0.75 } }` as `{ "routes.warnAt": 0.75 }`. */
function flat(of: object, before = ""): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(of).flatMap(([name, inner]) =>
      typeof inner === "object" && inner !== null
        ? Object.entries(flat(inner, `${before}${name}.`))
        : [[`${before}${name}`, inner]],
    ),
  );
}

/** All members of a union, which the compiler keeps whole. */
const listed = <Member extends string>(members: Readonly<Record<Member, true>>): string[] => Object.keys(members);

describe("docs/peering.md", () => {
  test("gives every default limit, and what comes of passing the routes'", () => {
    const outcomes = listed<RouteLimit["then"]>({ warn: true, drop: true, restart: true, disable: true });
    const told = rows("What one peer can cost");
    const limits = told.filter(([name]) => !outcomes.includes(name) && name !== "then");
    expect(Object.fromEntries(limits.map(([name, cell]) => [name, value(cell)]))).toEqual(
      flat(defaultLimits) as Record<string, number | string>,
    );
    expect(told.map(([name]) => name).filter((name) => outcomes.includes(name))).toEqual(outcomes);
  });

  test("says of damping what its figures come to", () => {
    const { suppressAt, reuseAt, most, halfLife, withdrawal } = defaultLimits.damping as NonNullable<
      typeof defaultLimits.damping
    >;
    const minutes = (penalty: number) => (Math.log2(penalty / reuseAt) * halfLife) / 60_000;
    expect({ withdrawals: suppressAt / withdrawal, about: minutes(suppressAt), atMost: minutes(most) }).toEqual({
      ...{ withdrawals: 6, about: 3, atMost: 4 },
    });
  });

  test("says how many may wait", async () => {
    const figures = async (file: string, name: string) => {
      const text = await Bun.file(join(import.meta.dir, file)).text();
      return Number(new RegExp(`const ${name} = (\\d+);`).exec(text)?.[1]);
    };
    const strangers = await figures("speaker/pending-connections.ts", "MOST_WAITING");
    const unproved = await figures("neighbor/course.ts", "MOST_UNPROVED");
    expect(section("What one peer can cost").replaceAll("\n", " ")).toContain(
      `${strangers} may wait to send their \`open\`, and ${unproved} a peer to prove it`,
    );
    expect(await figures("neighbor/flapping.ts", "FORGIVEN")).toBe(2); // "from the third time on"
  });

  test("gives every default timing", () => {
    const inSeconds = ["tolerance", "lifetime", "maxLifetime"];
    const told = rows("How long things take").map(([name, cell]) => {
      const milliseconds = value(cell) as number;
      return [name, inSeconds.includes(name) ? milliseconds / 1_000 : milliseconds] as const;
    });
    expect(Object.fromEntries(told)).toEqual(flat(defaultTiming) as Record<string, number>);
  });

  test("has the decision's list, in its order", () => {
    expect(names("How the best path is chosen")).toEqual(comparators.map(({ name }) => name));
  });

  test("has every reason for filtering, in the order in which the first is told", () => {
    expect(names("What was filtered, and by what")).toEqual(
      listed<Filtered["why"]>({
        expired: true,
        "old-epoch": true,
        "path-too-long": true,
        loop: true,
        "not-the-owner": true,
        "import-policy": true,
        unowned: true,
        damped: true,
      }),
    );
  });

  test("has every condition of a clause, and all that one sets", () => {
    const conditions = listed<keyof RouteMatch>({
      routes: true,
      origins: true,
      originDomains: true,
      through: true,
      maxPathLength: true,
      tags: true,
      learnedFrom: true,
    });
    const sets = listed<keyof NonNullable<RouteClause["set"]>>({
      localPreference: true,
      removeTags: true,
      addTags: true,
      prepend: true,
    });
    const told = names("routePolicy").flatMap((cell) => cell.split(", "));
    expect(told).toEqual([...conditions, ...sets.map((name) => `set.${name}`), "unowned"]);
    expect(section("routePolicy")).toContain(`; ${DEFAULT_PREFERENCE} where nothing is said`);
    expect(page).toContain(`up to ${LEAVES} routes`);
  });

  test("shows a policy and owners that are read", () => {
    const [policy] = json("routePolicy");
    expect(parseRoutePolicy(policy, "import")).toMatchObject({ ok: true });
    for (const owner of json("Owners").flat()) expect(ownerSchema.safeParse(owner).success).toBe(true);
  });
});

test("docs/architecture.md names every folder of this package", async () => {
  const text = await Bun.file(join(import.meta.dir, "..", "..", "..", "docs", "architecture.md")).text();
  const folders = [...new Bun.Glob("*/*.ts").scanSync(import.meta.dir)].map((file) => file.split("/")[0] as string);
  for (const folder of new Set(folders)) expect(text).toContain(`[${folder}](../packages/peer/src/${folder})`);
});

function json(title: string): unknown[] {
  const blocks = [...section(title).matchAll(/```json\n(.*?)```/gs)];
  expect(blocks.length).toBeGreaterThan(0);
  return blocks.map(([, text]) => JSON.parse(text as string));
}
