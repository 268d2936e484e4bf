// The log: whether its file is whole and its checkpoint covers it. A running node is asked, because it alone may read its file;
// a stopped one's is read here, and left as it is.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Checkpoint,
  openNote,
  ProofError,
  parseCheckpoint,
  StoppedLog,
  verifyLogFile,
} from "@capstan/orchestrator";
import { FaultError } from "@capstan/orchestrator/remote";
import { thrownFault } from "../fault/thrown.ts";
import { entryCount } from "../output/count.ts";
import { ask } from "../remote/ask.ts";
import type { Target } from "../settings/target.ts";
import { type Finding, Findings } from "./finding.ts";

export interface LogLook {
  readonly findings: readonly Finding[];
  /** `at` of the last entry, and of the checkpoint. */
  readonly lastAt?: number | undefined;
  readonly checkpointAt?: number | undefined;
  /** Verifier keys that the log admits, where its file could be read. */
  readonly keys?: readonly string[];
}

const RESTORE = "restore a backup (capstan restore), or save what is whole (capstan log salvage)";

/** Of a running node. `target`: how to ask it, or why it cannot be asked. */
export async function askedLog(target: () => Promise<Target>, deep: boolean): Promise<LogLook> {
  const found = new Findings("log");
  try {
    const server = await target();
    const head = (await ask(server, "log.head")) as { entries: number; state: string; at?: number };
    const { items } = (await ask(server, "log.list", { limit: 1 })) as { items: readonly { at: number }[] };
    const count = entryCount(head.entries);
    if (head.state === "damaged") found.fail(`${count}; the node found it damaged, and only reads it`, RESTORE);
    else if (deep) await askToVerify(server, found);
    else found.ok(`${count}, as the running node says`);
    return { findings: found.list, lastAt: items[0]?.at, checkpointAt: head.at };
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    const todo = "look with a credential that may read log.*, or stop the node and look again";
    return { findings: found.warn(`the running node does not tell: ${thrown.code}: ${thrown.message}`, todo).list };
  }
}

async function askToVerify(server: Target, found: Findings): Promise<void> {
  const result = (await ask(server, "log.verify")) as {
    entries: number;
    problem?: { entry?: number; message: string };
  };
  const { entries, problem } = result;
  if (problem === undefined) found.ok(`${entryCount(entries)}, verified by the running node`);
  else found.fail(`entry ${problem.entry ?? "?"}: ${problem.message}`, RESTORE);
}

/** Of a stopped node. */
export async function storedLog(data: string, shown: string, deep: boolean): Promise<LogLook> {
  const path = join(data, "log.db");
  const found = new Findings("log");
  if (!existsSync(path)) {
    if (!existsSync(`${path}.checkpoint`))
      return { findings: found.ok("there is none yet; the first start makes it").list };
    return { findings: found.fail(`${shown}/log.db is gone, and its checkpoint is there`, RESTORE).list };
  }
  try {
    const { head, lastAt, keys } = quickLook(path);
    found.ok(`${entryCount(head)}, and the file is whole`);
    if (deep) await verify(path, found);
    const checkpoint = checkpointFindings(path, shown, head, found);
    return { findings: found.list, lastAt, checkpointAt: checkpoint?.at, keys };
  } catch (thrown) {
    const { code, message } = thrownFault(thrown);
    if (code === "LOG_LOCKED") found.warn(message, "a process that answers nobody has it open: look what it does");
    else if (code === "LOG_NEWER") found.fail(message, "run the newer Capstan");
    else found.fault(message, RESTORE);
    return { findings: found.list };
  }
}

function quickLook(path: string): { readonly head: number; readonly lastAt: number; readonly keys: readonly string[] } {
  using log = new StoppedLog(path);
  return { head: log.head, lastAt: log.lastAt, keys: log.keys() };
}

async function verify(path: string, found: Findings): Promise<void> {
  const { valid, problems, found: count } = await verifyLogFile(path);
  const [first] = problems;
  if (valid) found.ok("every entry, row and part is what was signed");
  else if (first === undefined)
    found.warn("no checkpoint of it is valid: nothing is proved", "start the node, which signs it");
  else found.fail(`${first.where}: ${first.what}${count > 1 ? `, and ${count - 1} more` : ""}`, first.todo);
}

function checkpointFindings(path: string, shown: string, head: number, found: Findings): Checkpoint | undefined {
  const name = `${shown}/log.db.checkpoint`;
  let checkpoint: Checkpoint;
  try {
    checkpoint = parseCheckpoint(openNote(readFileSync(`${path}.checkpoint`, "utf8")).text);
  } catch (thrown) {
    const why = thrown instanceof ProofError ? thrown.message : "it is not there";
    found.warn(
      `${name} says nothing: ${why}`,
      "the next start writes it; until then nobody sees if the log loses its end",
    );
    return undefined;
  }
  const behind = head - checkpoint.size;
  if (behind > 0)
    found.warn(`${name} is ${entryCount(behind)} older than the log`, "the next start writes a newer one");
  else found.ok(`${name} covers all of it`);
  return checkpoint;
}
