// What the disk does wrong while it is told to, and whether that concerns a given operation. Rules are data, so that they
// cross into the disk's process as they are.

import type { Loss } from "./cached-file.ts";
import type { Errno } from "./fuse-protocol.ts";

/** `change`: whatever alters names, modes or lengths, and opening in order to write. */
export type Operation = "read" | "write" | "flush" | "change";

export interface Fault {
  readonly on: readonly Operation[];
  readonly errno: Errno;
  /** A pattern that the path, from the root of the disk on, has to match; default: any. */
  readonly path?: string;
  /** Bytes that are still written before writes fail; the last of them in a write cut short. */
  readonly after?: number;
  /** What a failed flush leaves; default `keep`. */
  readonly loss?: Loss;
}

export class FaultRule {
  readonly #fault: Fault;
  readonly #path: RegExp;
  #left: number;

  constructor(fault: Fault) {
    this.#fault = fault;
    this.#path = new RegExp(fault.path ?? "");
    this.#left = fault.after ?? 0;
  }

  get errno(): Errno {
    return this.#fault.errno;
  }

  get loss(): Loss {
    return this.#fault.loss ?? "keep";
  }

  concerns(operation: Operation, path: string): boolean {
    return this.#fault.on.includes(operation) && this.#path.test(path);
  }

  /** How many bytes of a write of `size` are still taken; 0: it fails. */
  takes(size: number): number {
    const taken = Math.min(size, this.#left);
    this.#left -= taken;
    return taken;
  }
}
