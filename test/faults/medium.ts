// The disk that a node of the trials lives on, behind one shape: one that fails by rules, with a cache whose power can be
// cut, or a small one that is filled. Each is mounted over a directory that stays.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { SeededRandom } from "../chaos/seeded-random.ts";
import { type FaultDisk, mountDisk } from "./fault-disk.ts";
import { mountFullDisk } from "./full-disk.ts";
import type { Kind } from "./kinds.ts";

/** How a life of a node ends, after it was killed. */
export type Ending = "kill" | "power cut" | "power cut, some written" | "restart, then power cut";

export interface Medium {
  readonly endings: readonly Ending[];
  /** The data directory when nothing is wrong with it. */
  readonly plain: string;
  /** The data directory where it can fail, once it is mounted. */
  readonly path: string;
  mount(): Promise<{ readonly path: string }>;
  unmount(ending: Ending): Promise<void>;
  on(kind: Kind): Promise<void>;
  /** Answers how many operations failed, where the disk counts them. */
  off(): Promise<number | undefined>;
  failed(): Promise<number | undefined>;
  close(): Promise<void>;
}

const SMALL_BYTES = 64 * 2 ** 20;

export async function openMedium(
  directory: string,
  full: boolean,
  random: SeededRandom,
  lies: boolean,
): Promise<Medium> {
  return full ? smallMedium(directory, random) : ruledMedium(directory, random, lies);
}

function ruledMedium(directory: string, random: SeededRandom, lies: boolean): Medium {
  let disk: FaultDisk | undefined;
  const plain = join(directory, "platter");
  mkdirSync(plain, { mode: 0o700 });
  const mounted = (): FaultDisk => disk as FaultDisk;
  return {
    endings: ["kill", "power cut", "power cut, some written", "restart, then power cut"],
    plain,
    path: join(directory, "disk"),
    async mount() {
      disk = await mountDisk(directory, random.upTo(2 ** 31));
      if (lies) await disk.lie();
      return disk;
    },
    async unmount(ending) {
      if (ending === "kill") await mounted().settle();
      else await mounted().cut(ending === "power cut, some written");
      await mounted().close();
      disk = undefined;
    },
    on: async (kind) => void (await mounted().fault(kind.fault?.(random))),
    off: () => mounted().fault(),
    failed: () => mounted().failed(),
    close: async () => disk?.close(),
  };
}

function smallMedium(directory: string, random: SeededRandom): Medium {
  const disk = mountFullDisk(directory, SMALL_BYTES);
  return {
    endings: ["kill"],
    plain: disk.path,
    path: disk.path,
    mount: async () => disk,
    unmount: async () => {},
    on: async () => disk.fill(random.next() < 0.5 ? 0 : random.upTo(100_000)),
    off: async () => {
      disk.empty();
      return undefined;
    },
    failed: async () => undefined,
    close: async () => disk.close(),
  };
}
