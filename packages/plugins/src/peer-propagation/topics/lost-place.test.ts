// Where a topic is gone on from once nobody can read on from its place: where its origin says, if that can be so, or from now on.

import { expect, test } from "bun:test";
import { FaultError, fault } from "@capstan/orchestrator";
import { Clock } from "../../hub.fixture.ts";
import { importedTable } from "../../publisher/elsewhere/topics.ts";
import { type Asked, ORIGIN, settled, TOPIC } from "./far-origin.fixture.ts";
import { ImportedTopic } from "./imported-topic.ts";

test.each([
  ["CURSOR_GONE", { first: "20.l-origin" }, "20.l-origin"],
  ["CURSOR_GONE", { first: "5.l-origin" }, "now"],
  ["CURSOR_GONE", { first: "20.l-other" }, "now"],
  ["CURSOR_FUTURE", { kept: "5.l-origin.7" }, "5.l-origin.7"],
  // Nobody restored it: whoever else leads there would give all of it once more.
  ["CURSOR_FUTURE", { kept: "5.l-origin" }, "now"],
  ["CURSOR_FUTURE", { kept: "20.l-origin.7" }, "now"],
  ["CURSOR_FUTURE", { kept: 5 }, "now"],
  ["CURSOR_FOREIGN", { kept: "5.l-origin.7", first: "20.l-origin" }, "now"],
])("told %s with %j of its place, 10, it goes on from %s", async (code, details, place) => {
  const clock = new Clock();
  const row = { origin: ORIGIN, cursor: "10.l-origin", via: "berlin", since: 0 };
  const noted: string[] = [];
  const said: string[] = [];
  const by = { name: "berlin", node: "b" };
  const imported = new ImportedTopic(TOPIC, {
    topics: { imported: importedTable },
    runtime: {
      reader: { get: () => row },
      async note({ data }: { data: { cursor: string; from: { peer: string } } }) {
        noted.push(data.cursor);
        said.push(data.from.peer);
      },
      ...{ timers: clock, now: clock.now },
    } as never,
    relay: {
      by: () => by,
      read: async ({ after }: Asked) => {
        if (after === undefined) return { items: [], next: "now", size: 0, by };
        throw new FaultError(fault(code, "no", { ...details, peer: { name: "cairo", node: "c", id: "m-1" } }));
      },
    } as never,
    ways: { originsOf: () => [ORIGIN], nearest: () => undefined } as never,
    pace: { heldFor: () => 0, took: () => {} } as never,
    crowded: () => false,
  });
  await settled();
  imported.stop();
  expect(noted).toEqual([place]);
  // Where there is only another's word for the place, it is that one's, whoever is asked by now.
  expect(said).toEqual([place === "now" ? "berlin" : "cairo"]);
});
