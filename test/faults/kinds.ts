// The ways in which a disk fails in the trials, and what each may do to a correct node.

import type { SeededRandom } from "../chaos/seeded-random.ts";
import { LOSSES } from "./cached-file.ts";
import type { Fault } from "./fault-rule.ts";

export interface Kind {
  readonly name: string;
  /** On the small disk in memory, which is filled, and not on the one that fails by rules. */
  readonly full?: true;
  fault?(random: SeededRandom): Fault;
  /**
   * `refused`: commands are refused while it lasts. `crowded`: so are those for which there is no room. `unharmed`: everything
   * goes on. `unread`: what must be read from the disk is refused, as something that can be tried again.
   */
  readonly effect: "refused" | "crowded" | "unharmed" | "unread";
}

const MAIN_FILE = "^log\\.db$";
/** What lies beside the log and is not the log: page sums, the checkpoint. */
const BESIDE = "^log\\.db[-.](?!wal)";
/** Bytes that a write may be cut short after: within a frame of the WAL, or some groups later. */
const most = (random: SeededRandom): number => (random.next() < 0.5 ? 0 : random.upTo(200_000));

export const KINDS: readonly Kind[] = [
  {
    name: "read-only",
    fault: () => ({ on: ["write", "flush", "change"], errno: "EROFS" }),
    effect: "refused",
  },
  {
    name: "EIO on write",
    fault: (random) => ({ on: ["write"], errno: "EIO", after: most(random) }),
    effect: "refused",
  },
  ...LOSSES.map((loss): Kind => {
    return {
      name: `EIO on flush, ${loss}`,
      fault: () => ({ on: ["flush"], errno: "EIO", loss }),
      effect: "refused",
    };
  }),
  {
    name: "no space on write",
    fault: (random) => ({ on: ["write", "change"], errno: "ENOSPC", after: most(random) }),
    effect: "refused",
  },
  {
    name: "no space on flush",
    fault: (random) => ({ on: ["flush"], errno: "ENOSPC", loss: random.pick(LOSSES) }),
    effect: "refused",
  },
  {
    name: "main file: EIO on write",
    fault: (random) => ({ on: ["write"], errno: "EIO", path: MAIN_FILE, after: most(random) }),
    effect: "unharmed",
  },
  {
    name: "main file: EIO on flush",
    fault: (random) => ({ on: ["flush"], errno: "EIO", path: MAIN_FILE, loss: random.pick(LOSSES) }),
    effect: "unharmed",
  },
  {
    name: "beside the log: EIO",
    fault: (random) => ({ on: ["write", "flush", "change"], errno: "EIO", path: BESIDE, loss: random.pick(LOSSES) }),
    effect: "unharmed",
  },
  {
    name: "EIO on read",
    fault: () => ({ on: ["read"], errno: "EIO" }),
    effect: "unread",
  },
  { name: "full", full: true, effect: "crowded" },
];
