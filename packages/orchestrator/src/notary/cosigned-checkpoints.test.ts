// Which cosigned checkpoints are kept, and which of them a receipt is given.

import { expect, test } from "bun:test";
import { openNote } from "../proof/note.ts";
import { CosignedCheckpoints } from "./cosigned-checkpoints.ts";

const root = new Uint8Array(32);
const checkpoint = (size: number) => ({ size, root, note: `${size}\n\n— log A\n` });
const sizes = (kept: CosignedCheckpoints) => kept.kept.map(({ size }) => size);

test("the newest that covers an entry, with all that cosigned it", () => {
  const kept = new CosignedCheckpoints();
  kept.add(checkpoint(5), "osaka", "— osaka 5");
  kept.add(checkpoint(5), "kyoto", "— kyoto 5");
  kept.add(checkpoint(9), "osaka", "— osaka 9");
  expect([...kept.covering(5, 1)].map(({ size }) => size)).toEqual([9, 5]);
  const [both] = kept.covering(5, 2);
  expect(both?.note).toBe("5\n\n— log A\n— osaka 5\n— kyoto 5\n");
  expect([...kept.covering(6, 2)]).toEqual([]);
  expect([...kept.covering(10, 1)]).toEqual([]);
});

test("few are kept, and of each witness the newest, however far behind it is", () => {
  const kept = new CosignedCheckpoints();
  kept.add(checkpoint(1), "slow", "— slow 1");
  for (let size = 2; size <= 100; size++) kept.add(checkpoint(size), "fast", `— fast ${size}`);
  expect(sizes(kept)).toHaveLength(17);
  expect(sizes(kept).at(-1)).toBe(1);
});

test("of more witnesses than a note may have signatures, the first ones' are in it, and it can be read", () => {
  const kept = new CosignedCheckpoints();
  const line = (name: string) => `— ${name} ${"A".repeat(100)}`;
  for (let i = 0; i < 40; i++) kept.add({ size: 5, root, note: `5\n\n${line("log")}\n` }, `w${i}`, line(`w${i}`));
  const [most] = kept.covering(5, 31);
  expect(openNote(most?.note ?? "").signatures).toHaveLength(32);
  expect([...kept.covering(5, 32)]).toEqual([]);
});
