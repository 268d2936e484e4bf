// Getting an administrator's credential anew, by whoever can read and write the node's files and by nobody else. The node is
// told the digest; the credential itself goes into `admin.token` once it is good, and until then into a file beside it.

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  type AnyPlugin,
  askLocally,
  createOrchestrator,
  FaultError,
  fault,
  type LocalRequests,
  type Node,
  openNode,
  sqliteLog,
  systemTimers,
  type Timers,
} from "@capstan/orchestrator";
import { ADMIN_TOKEN_FILE, newToken } from "./admin-token.ts";
import { credentialDigest } from "./credential.ts";

/** What a node lets whoever has its files ask for: `answerLocally` is given these. */
export const localRequests: LocalRequests = { recover: { resource: "admin", action: "recover" } };

/** The administrator's new credential. */
export interface Recovered {
  readonly principal: string;
  readonly grant: string;
  /** Where the credential is. */
  readonly file: string;
}

/** The running node that is asked for the recovery. */
export interface RequestOptions {
  /** The data directory. */
  readonly directory: string;
  readonly timers?: Timers;
  readonly now?: () => number;
  readonly limitMs?: number;
}

/** Asks the node that runs on these files. @throws FaultError REQUEST_UNANSWERED, and what the node answered */
export function requestRecovery(options: RequestOptions): Promise<Recovered> {
  const { directory, timers = systemTimers, now = Date.now, limitMs } = options;
  return recover(directory, (credential, { signer }) =>
    askLocally({
      ...{ directory, name: "recover", data: { credential }, signer, timers, now },
      ...(limitMs === undefined ? {} : { limitMs }),
    }),
  );
}

/** The stopped node of which the administrator is recovered. */
export interface OfflineOptions {
  readonly directory: string;
  /** The composition that the node runs with. */
  readonly plugins: readonly AnyPlugin[];
}

/** Opens the log of a node that does not run. Nothing that it owes is carried out. @throws FaultError LOG_LOCKED where it runs */
export function recoverOffline({ directory, plugins }: OfflineOptions): Promise<Recovered> {
  return recover(directory, async (credential, node) => {
    const log = sqliteLog(join(directory, "log.db"));
    const orchestrator = await createOrchestrator({
      plugins: plugins as never,
      ...{ log, node, signer: node.signer, carriesOut: false },
    });
    try {
      const taken = await orchestrator.hub.submitOwn({ resource: "admin", action: "recover", data: { credential } });
      if (taken.kind === "refused") throw new FaultError(taken.error);
      orchestrator.committer.flush();
      await orchestrator.committer.whenDurable(orchestrator.committer.tip);
      return taken.kind === "done" ? taken.data : undefined;
    } finally {
      await orchestrator.stop();
    }
  });
}

async function recover(
  directory: string,
  ask: (credential: string, node: Node) => Promise<unknown>,
): Promise<Recovered> {
  // Opening a node makes one where there is none.
  if (!existsSync(join(directory, "node.key")))
    throw new FaultError(fault("KEY_FILE_INVALID", `${directory} has no node.key: it is no node's data directory`));
  const node = await openNode({ directory });
  const file = join(directory, ADMIN_TOKEN_FILE);
  const token = newToken();
  const temporary = `${file}.tmp`;
  write(temporary, `${token}\n`);
  try {
    const { principal, grant } = (await ask(credentialDigest(token), node)) as Omit<Recovered, "file">;
    // The one that was there is good for nothing any more.
    renameSync(temporary, file);
    return { principal, grant, file };
  } finally {
    rmSync(temporary, { force: true });
  }
}

function write(path: string, text: string): void {
  rmSync(path, { force: true });
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
