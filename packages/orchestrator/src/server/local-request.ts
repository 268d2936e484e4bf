// How the owner of a node's files asks the running node for something that no scope offers: by a file in its data directory, signed with the
// node's own key. Nothing crosses a wire, and only the requests that the server lists are taken.
//
//   capstan request recover                      what is asked for; the file is recover.request
//   capstan/n-7f3a1b2c                           the node
//   at 1793491200000                             milliseconds since the epoch
//   nonce 22 characters
//   {"credential":"sha256-…"}                    the message's data
//
// It is a signed note (https://c2sp.org/signed-note). The answer is in recover.done.

import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Fault, FaultError, fault, faultOf } from "../fault/fault.ts";
import { proven } from "../fault/proof-fault.ts";
import type { Message } from "../message/message.ts";
import type { Orchestrator } from "../orchestrator.ts";
import type { Logger } from "../plugin/plugin.ts";
import { parseVerifierKey, type Signer, signNote, type VerifierKey, verifyNote } from "../proof/note.ts";
import type { Timers } from "../time/timers.ts";

/** Older requests are refused. Both processes are on one machine, and so read the same clock. */
export const LONGEST_AGE_MS = 60_000;
const LOOK_EVERY_MS = 1000;
const ASK_AGAIN_MS = 100;
const LONGEST_FILE = 16 * 1024;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** What can be asked for: by the file's name, the message that the request becomes. */
export type LocalRequests = Readonly<Record<string, Pick<Message, "resource" | "action">>>;

type Answer = { readonly nonce: string } & ({ readonly data: unknown } | { readonly error: Fault });

const SHAPE = /^capstan request ([a-z]+)\n(\S+)\nat ([0-9]{1,16})\nnonce ([\w-]{22})\n(\{.*\})\n$/;

/** A local request, and who asks. */
export interface AskOptions {
  readonly directory: string;
  /** `recover` */
  readonly name: string;
  readonly data: object;
  /** The node's signer. */
  readonly signer: Signer;
  readonly timers: Timers;
  now(): number;
  readonly limitMs?: number;
}

/** Asks the node that runs on these files. @throws FaultError REQUEST_UNANSWERED, or the fault that the node answered */
export async function askLocally(options: AskOptions): Promise<unknown> {
  const { directory, name, data, signer, timers, now, limitMs = 10_000 } = options;
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url");
  const lines = [`capstan request ${name}`, signer.name, `at ${now()}`, `nonce ${nonce}`, JSON.stringify(data)];
  const request = join(directory, `${name}.request`);
  const done = join(directory, `${name}.done`);
  rmSync(done, { force: true });
  replace(request, await signNote(`${lines.join("\n")}\n`, signer));
  try {
    for (let waited = 0; waited <= limitMs; waited += ASK_AGAIN_MS) {
      const answer = readAnswer(done, nonce);
      if (answer !== undefined && "error" in answer) throw new FaultError(answer.error);
      if (answer !== undefined) return answer.data;
      await new Promise<void>((resolve) => timers.after(ASK_AGAIN_MS, resolve));
    }
  } finally {
    for (const path of [request, done]) rmSync(path, { force: true });
  }
  const text = `the node of ${directory} did not answer within ${limitMs / 1000} s; look at its log, or stop it and ask again`;
  throw new FaultError(fault("REQUEST_UNANSWERED", text));
}

function readAnswer(path: string, nonce: string): Answer | undefined {
  try {
    const answer = JSON.parse(readFileSync(path, "utf8")) as Answer;
    return answer.nonce === nonce ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** Which local requests are answered, and by which node. */
export interface AnswerOptions {
  readonly orchestrator: Orchestrator;
  readonly directory: string;
  readonly requests: LocalRequests;
  readonly timers: Timers;
  /** The system's clock, in milliseconds since the epoch: the asking process reads the same. */
  now(): number;
  readonly logger: Logger;
}

/** Looks for requests once a second. Answers a function that ends this. */
export function answerLocally(options: AnswerOptions): () => Promise<void> {
  const { requests, timers, logger } = options;
  let stopped = false;
  let looking: Promise<void> = Promise.resolve();
  let stopTimer = arm();

  function arm(): () => void {
    return timers.after(LOOK_EVERY_MS, () => {
      looking = look().finally(() => {
        if (!stopped) stopTimer = arm();
      });
    });
  }

  async function look(): Promise<void> {
    for (const name of Object.keys(requests)) {
      try {
        await answerOne(options, name);
      } catch (thrown) {
        logger.error({ request: name, error: String(thrown) }, "a local request could not be answered");
      }
    }
  }

  return async () => {
    stopped = true;
    stopTimer();
    await looking;
  };
}

async function answerOne(options: AnswerOptions, name: string): Promise<void> {
  const { orchestrator, directory, requests, logger } = options;
  const path = join(directory, `${name}.request`);
  const asked = readRequest(path);
  if (asked === undefined) return;
  let answer: Answer;
  let nonce = "";
  try {
    if (typeof asked !== "string") throw new FaultError(asked);
    // The nonce is read first, so that any refusal can be answered.
    nonce = /^nonce ([\w-]{22})$/m.exec(asked)?.[1] ?? "";
    const key = parseVerifierKey(await orchestrator.notary.verifierKey());
    const data = await opened(asked, name, key, options.now());
    const taken = await orchestrator.hub.submitOwn({ ...(requests[name] as Message), data });
    if (taken.kind === "refused") throw new FaultError(taken.error);
    await orchestrator.committer.whenDurable(orchestrator.committer.tip);
    answer = { nonce, data: taken.kind === "done" ? taken.data : {} };
    logger.warn({ request: name }, "a local request was granted");
  } catch (thrown) {
    const error = faultOf(thrown);
    answer = { nonce, error };
    logger.warn({ request: name, error: error.message }, "a local request was refused");
  }
  // The answer is written before the request is removed: after a crash in between it is answered again.
  replace(join(directory, `${name}.done`), `${JSON.stringify(answer)}\n`);
  rmSync(path, { force: true });
}

/** The file's text; or a fault where somebody other than the node's owner may have written it. */
function readRequest(path: string): string | Fault | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") return invalid("it is a link");
    throw thrown;
  }
  try {
    const stat = fstatSync(file);
    const owners = [process.getuid?.(), 0];
    if (!stat.isFile()) return invalid("it is no file");
    if (!owners.includes(stat.uid)) return invalid(`it belongs to user ${stat.uid}`);
    if ((stat.mode & OTHERS) !== 0) return invalid(`it has mode 0${(stat.mode & 0o777).toString(8)}, and not 0600`);
    if (stat.size > LONGEST_FILE) return invalid("it is too long");
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

async function opened(note: string, name: string, key: VerifierKey, now: number): Promise<object> {
  const { text } = await proven(() => verifyNote(note, [key]));
  const [, asked, node, at, , json] = SHAPE.exec(text) ?? [];
  if (asked !== name || node !== key.name || json === undefined)
    throw new FaultError(invalid("it is not what its name says"));
  if (Math.abs(now - Number(at)) > LONGEST_AGE_MS)
    throw new FaultError(invalid(`it is of ${new Date(Number(at)).toISOString()}, and more than a minute off`));
  return JSON.parse(json) as object;
}

function invalid(why: string): Fault {
  return fault("REQUEST_INVALID", `the request is not taken: ${why}`);
}

/** Replaces a file atomically. */
function replace(path: string, text: string): void {
  const temporary = `${path}.tmp`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { mode: OWNER_ONLY, flag: "wx" });
  renameSync(temporary, path);
}
