// A file that somebody names to be read: that it is there, and is a file, is told before anything else is done.

import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Io } from "../io.ts";
import { unreadable } from "./json-input.ts";

/** Its whole path. @throws FaultError FILE_UNREADABLE */
export function namedFile(io: Io, named: string): string {
  const path = resolve(io.cwd, named);
  try {
    accessSync(path, constants.R_OK);
    if (statSync(path).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  } catch (error) {
    throw unreadable(named, error);
  }
  return path;
}
