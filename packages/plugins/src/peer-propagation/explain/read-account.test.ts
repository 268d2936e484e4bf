// How much is read of what far nodes tell: never so little that one of them could have all before it refused.

import { expect, test } from "bun:test";
import type { Account } from "./account.ts";
import { MOST_HOPS, readAccount } from "./read-account.ts";

const clause = "c".repeat(400);
/** As much as a node tells of itself. */
const own: Account = {
  ...{ disclosed: "clauses", id: "m-0123456789ABCDEF", state: "failed", code: "FAILED", text: "t".repeat(2000) },
  plugins: Array.from({ length: 64 }, (_, i) => ({ plugin: `plugin-${i}`, verdict: "not reached", clause })),
};
const told = (said: Account, of: Account = own): Account => ({ ...of, peers: [{ name: "osaka", node: "n-2", said }] });

/** So many nodes, one behind the other. */
const chain = (count: number, of = own): Account => {
  let said = of;
  for (let i = 1; i < count; i++) said = told(said, of);
  return said;
};

test.each(Array.from({ length: MOST_HOPS - 1 }, (_, i) => i + 1))(
  "whatever is read after %i hops is read by the one before, with all that this one adds",
  (hops) => {
    for (const of of [own, { disclosed: "outcome" } as const]) {
      let most = 1;
      while (!("why" in readAccount(chain(most + 1, of), hops))) most++;
      expect(readAccount(told(chain(most, of)), hops - 1)).toMatchObject({ state: "failed" });
    }
  },
);

test("no more is read than all nodes that may be asked could tell", () => {
  expect(readAccount(chain(MOST_HOPS), 0)).toMatchObject({ state: "failed" });
  const more = readAccount(chain(MOST_HOPS + 6), 0);
  expect(more).toEqual({ why: expect.stringMatching(/^what it answered is (larger|nested deeper) than/) });
});
