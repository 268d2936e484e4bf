// What a witness holds of a log, for whoever verifies it: from files that were brought from there, or asked of a peer by the node itself.

import { existsSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { WitnessedLog } from "@capstan/orchestrator";
import { LEAVES_KEPT, LeafWindow } from "@capstan/orchestrator/proof";
import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import { z } from "zod";
import type { Cli } from "../cli.ts";
import { answerFault } from "../fault/thrown.ts";
import { fileText } from "../input/json-input.ts";
import { ask } from "./ask.ts";

const CHECKPOINT = ".checkpoint";
const HASH_BYTES = 32;
/** A node gives 4,096 at once. Of fewer than this, but for the last, there would be no end of questions. */
const LEAST_LEAVES = 1024;

const page = z.object({
  ...{ checkpoint: z.string(), base: z.number(), size: z.number(), peaks: z.array(z.string()) },
  ...{ from: z.number().optional(), leaves: z.string().optional() },
});

export interface FetchedLog extends WitnessedLog {
  /** How the leaves' file begins, and what is in it. */
  readonly file: Uint8Array | undefined;
}

/** Where the leaves lie that go with a checkpoint. */
export function leavesBeside(checkpoint: string): string {
  return checkpoint.endsWith(CHECKPOINT) ? `${checkpoint.slice(0, -CHECKPOINT.length)}.leaves` : `${checkpoint}.leaves`;
}

/** @param alone only a file will do: no node is asked. @throws FaultError FILE_UNREADABLE, CHECKPOINT_INVALID, and what the node answers */
export async function witnessedLog(cli: Cli, said: string, alone: boolean): Promise<WitnessedLog> {
  const path = resolve(cli.io.cwd, said);
  // A node's directory may well be called as its peers call it.
  const isFile = statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  if (!isFile && !alone && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(said))
    return fetchHeld(cli, "witness.fetch", { name: said }).catch((thrown) => {
      const isNeither = thrown instanceof FaultError && thrown.code === "PEER_UNKNOWN";
      throw isNeither
        ? new FaultError(fault(thrown.code, `${thrown.message}; nor is there a file of that name`))
        : thrown;
    });
  const checkpoint = await fileText(cli.io, said);
  const beside = leavesBeside(path);
  if (!existsSync(beside)) return { checkpoint, leaves: undefined };
  const leaves = LeafWindow.read(readFileSync(beside));
  if (leaves === undefined)
    throw new FaultError(
      fault("CHECKPOINT_INVALID", `${printable(beside)} is no file of leaves, as a witness keeps them`),
    );
  return { checkpoint, leaves };
}

/** All that is held, page by page. What grows there meanwhile is left out. */
export async function fetchHeld(cli: Cli, name: string, asked: object): Promise<FetchedLog> {
  const target = await cli.target();
  const paged = async (from?: number) => {
    const answer = page.safeParse(await ask(target, name, { ...asked, ...(from === undefined ? {} : { from }) }));
    if (!answer.success) throw answerFault(name, "is not what a witness holds");
    const { leaves, from: first } = answer.data;
    return { ...answer.data, bytes: Buffer.from(leaves ?? "", "base64"), first };
  };
  let { checkpoint, base, size, peaks, bytes, first } = await paged();
  if (first === undefined) return { checkpoint, leaves: undefined, file: undefined };
  const pages: Uint8Array[] = [];
  // It may be a peer's answer, handed on: of leaves that go nowhere, or never end, no more is asked for.
  const isPage = (next: number): boolean =>
    first === next && bytes.length >= HASH_BYTES * Math.min(LEAST_LEAVES, size - next + 1);
  for (let next = base + 1; isPage(next) && size - base <= 2 * LEAVES_KEPT; ) {
    pages.push(bytes);
    next += Math.floor(bytes.length / HASH_BYTES);
    if (next > size) return { checkpoint, ...windowOf(base, peaks, Buffer.concat(pages)) };
    ({ bytes, first } = await paged(next));
  }
  if (size === base) return { checkpoint, ...windowOf(base, peaks, new Uint8Array()) };
  throw answerFault(name, "has not the leaves that it says it has");
}

function windowOf(base: number, peaks: readonly string[], hashes: Uint8Array): Omit<FetchedLog, "checkpoint"> {
  try {
    const decoded = peaks.map((one) => Buffer.from(one, "base64"));
    const leaves = LeafWindow.from(base, decoded).grown(hashes.slice(0, hashes.length - (hashes.length % HASH_BYTES)));
    return { leaves, file: Buffer.concat([Buffer.from(leaves.head, "latin1"), leaves.hashes]) };
  } catch {
    // Not what a tree is made of: then only the checkpoint counts.
    return { leaves: undefined, file: undefined };
  }
}
