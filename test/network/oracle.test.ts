import { expect, test } from "bun:test";
import { ringWithChord } from "./network.ts";
import { type Edge, type Site, solve, type Table } from "./oracle.ts";

const site = (name: string, ...offers: string[]): Site => ({ name, id: `id-${name}`, domain: `d-${name}`, offers });
const way = (tables: ReadonlyMap<string, Table>, node: string, route: string): string => {
  const best = tables.get(node)?.best.get(route);
  return best === undefined ? "none" : `${best.peer ?? "self"} [${best.path.join(" ")}]`;
};

test("each takes the shortest way, and of equal ones that of the lower origin and then the lower peer", () => {
  const sites = [site("a", "x"), site("b"), site("c", "x", "y"), site("d")];
  const tables = solve(sites, [["a", "b"], ["b", "c"], ["c", "d"], ["d", "a"]] as Edge[]); // biome-ignore format: a ring
  expect(way(tables, "a", "x")).toBe("self []");
  expect(way(tables, "b", "x")).toBe("a [d-a]");
  expect(way(tables, "a", "y")).toBe("b [d-b d-c]");
  expect(tables.get("b")?.sessions).toEqual(["a", "c"]);
});

test("nobody is told of a way that leads through them", () => {
  const tables = solve([site("a"), site("b"), site("c", "x")], [["a", "b"], ["b", "c"]] as Edge[]); // biome-ignore format: a line
  expect([...(tables.get("b")?.heard.get("a") ?? []).keys()]).toEqual([]);
  expect([...(tables.get("b")?.heard.get("c") ?? []).keys()]).toEqual(["x"]);
});

test("what cannot be reached is nowhere", () => {
  const tables = solve([site("a"), site("b", "x")], []);
  expect([way(tables, "a", "x"), tables.get("a")?.sessions]).toEqual(["none", []]);
});

test("five nodes are a ring with a chord", () => {
  expect(ringWithChord(5).map((ends) => ends.join("-"))).toEqual([
    "n0-n1",
    "n1-n2",
    "n2-n3",
    "n3-n4",
    "n4-n0",
    "n1-n3",
  ]);
});
