// What of the speaker's choices goes into the tables that are decided by.

import { expect, test } from "bun:test";
import type { BestChange, Path } from "@capstan/peer";
import { Reach } from "./reach.ts";

function path(peer: string | undefined): Path {
  const attributes = { peer, path: peer ?? "", tags: "", chunk: { claim: { node: peer ?? "n-us", domain: "d" } } };
  return { name: "action:greet", digest: "", attributes } as unknown as Path;
}

function told(...changes: BestChange[]) {
  const noted: unknown[] = [];
  const note = async (message: unknown) => void noted.push(message);
  const runtime = { note, given: () => ({}), log: {} } as never;
  new Reach({ runtime, by: "us", nameOf: (peer) => `our ${peer}`, best: () => undefined }).change(changes);
  return noted.map((message) => {
    const { rows, changes: ways } = (message as { data: { rows?: unknown[]; changes?: { way: unknown }[] } }).data;
    return rows === undefined ? ways?.map(({ way }) => way !== null) : rows.map((row) => row !== undefined);
  });
}

test("a peer's way is noted when our own route goes that it stood behind, and forgotten when ours comes", () => {
  const [ours, theirs] = [path(undefined), path("n-b")];
  const name = "action:greet";
  expect(told({ name, before: ours, now: theirs })).toEqual([[true], [true]]);
  expect(told({ name, before: theirs, now: ours })).toEqual([[false], [false]]);
  expect(told({ name, before: undefined, now: ours }, { name, before: ours, now: undefined })).toEqual([]);
});
