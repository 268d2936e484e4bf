// What a script's registration says: its source, its limits and the directories that it may use; and its faults.

import type { FaultTable } from "@capstan/orchestrator";
import { z } from "zod";

const KiB = 1024;
const MiB = 1024 * KiB;

const directories = z.array(z.string().min(1).max(4096)).max(32).default([]);

export const scriptSchema = z.strictObject({
  /** An ES module that imports nothing: `export default async function (input, { perform, fs, log, publication }) { … }`. */
  source: z
    .string()
    .min(1)
    .max(256 * KiB),
  /** Milliseconds of CPU time, at most ten times as many by the clock. What it waits for does not count. */
  time: z.number().int().min(1).max(60_000).default(1000),
  /** Bytes of QuickJS's whole memory: 2 MiB of it, the source and the input are taken before it begins. */
  memory: z
    .number()
    .int()
    .min(16 * MiB)
    .max(256 * MiB)
    .default(32 * MiB),
  /** Bytes of the output, and of what it hands to one `perform`, as JSON. */
  output: z
    .number()
    .int()
    .min(1)
    .max(4 * MiB)
    .default(256 * KiB),
  /** Bytes of its stack: 256 KiB are about a thousand calls within each other. */
  depth: z
    .number()
    .int()
    .min(16 * KiB)
    .max(512 * KiB)
    .default(256 * KiB),
  /** Absolute directories whose files it may read, and replace. */
  files: z.strictObject({ read: directories, write: directories }).optional(),
});

export type ScriptConfiguration = z.output<typeof scriptSchema>;

/** The faults of the protocol `script`. */
export const scriptFaults = {
  SCRIPT_TIME: {
    status: 502,
    retryable: false,
    text: "The script ran for longer than its `time` and was stopped; what it had performed stands.",
  },
  SCRIPT_MEMORY: { status: 502, retryable: false, text: "The script needed more than its `memory` and was stopped." },
  SCRIPT_DEPTH: {
    status: 502,
    retryable: false,
    text: "The script's calls or data are nested deeper than its `depth`, or than 100 levels of JSON.",
  },
  SCRIPT_OUTPUT: {
    status: 502,
    retryable: false,
    text: "The script's output, or what it handed to a perform or a file, is larger than its `output`.",
  },
  SCRIPT_CALLS: {
    status: 502,
    retryable: false,
    text: "The script performed more than 100 actions, or used files more than 1,000 times, in one run.",
  },
  SCRIPT_BUSY: {
    status: 503,
    retryable: true,
    text: "More scripts wait for a process than the queue holds, or all processes wait for what their scripts perform.",
  },
  SCRIPT_LOST: {
    status: 502,
    retryable: false,
    text: "The process that ran the script died; what the script had performed stands.",
  },
  FILE_REFUSED: {
    status: 403,
    retryable: false,
    text: "The path lies outside the directories of the registration, leads over a link, or is no file of text; the text says which.",
  },
  FILE_NOT_FOUND: { status: 404, retryable: false, text: "There is no such file or directory." },
} as const satisfies FaultTable;
