// A file that a command writes its answer to. What is there already stays as it is.

import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import { reasonOf } from "../input/json-input.ts";
import type { Io } from "../io.ts";

/** Durable once it resolves. @throws FaultError FILE_UNWRITABLE */
export async function writeNewFile(io: Io, path: string, text: string | Uint8Array): Promise<void> {
  try {
    await using file = await open(resolve(io.cwd, path), "wx", 0o644);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    const reason = `${printable(path)} cannot be written: ${reasonOf(error)}; nothing was overwritten`;
    throw new FaultError(fault("FILE_UNWRITABLE", reason));
  }
}
