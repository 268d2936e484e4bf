// Keys that somebody trusts, from the command line: one as text, or a file with one a line, as a node's node.pub.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseVerifierKey, proven } from "@capstan/orchestrator/proof";
import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Io } from "../io.ts";
import { fileText } from "./json-input.ts";

/** A key as text: no path looks like it. */
const KEY_TEXT = /^[^+\s]+\+[0-9a-f]{8}\+\S+$/;

/** The verifier key of the node whose data directory it is; `undefined` where there is none. */
export function publicKeyIn(data: string): string | undefined {
  try {
    return readFileSync(join(data, "node.pub"), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** @throws FaultError FILE_UNREADABLE, VERIFIER_KEY_INVALID */
export async function verifierKeys(io: Io, said: string): Promise<readonly string[]> {
  const text = KEY_TEXT.test(said) ? said : await fileText(io, said);
  const keys = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  if (keys.length === 0)
    throw new FaultError(fault("VERIFIER_KEY_INVALID", `${printable(said)} holds no verifier key`));
  await proven(() => keys.map(parseVerifierKey));
  return keys;
}
