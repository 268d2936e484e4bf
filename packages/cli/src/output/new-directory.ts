// A directory that a command writes, whole. What is there already stays as it is.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FaultError, fault } from "@capstan/orchestrator/remote";
import { reasonOf } from "../input/json-input.ts";

/** @param files their texts, by name. Answers their paths. @throws FaultError FILE_UNWRITABLE */
export function writeNewDirectory(cwd: string, name: string, files: Readonly<Record<string, string>>): string[] {
  try {
    // Made here: nothing can be in it to overwrite.
    mkdirSync(join(cwd, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(cwd, name, file), text, { flag: "wx" });
  } catch (error) {
    throw new FaultError(
      fault("FILE_UNWRITABLE", `./${name} cannot be made: ${reasonOf(error)}; nothing was overwritten`),
    );
  }
  return Object.keys(files).map((file) => `./${name}/${file}`);
}
