// `<data>/server.json`: how the commands of this machine find the server that runs here. `serve` writes it when it listens
// and removes it when it ends; after a kill it is stale, and the address in it does not answer.

import { accessSync, constants, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface ServerFile {
  readonly url: string;
  readonly pid: number;
  readonly node: string;
  /** Where its action modules may lie. */
  readonly modules: readonly string[];
  /** The file with the certificate that it is served under. */
  readonly certificate?: string;
  /** Of that certificate, as it was when the server began: the file may have been renewed since. */
  readonly pin?: string;
  /** `iroh://…`, where it takes sessions over iroh. */
  readonly iroh?: string;
}

const NAME = "server.json";

export function readServerFile(data: string): ServerFile | undefined {
  try {
    const file = JSON.parse(readFileSync(join(data, NAME), "utf8")) as Partial<ServerFile>;
    const { url, pid, node, modules, certificate, pin, iroh } = file;
    if (typeof url !== "string" || typeof pid !== "number" || typeof node !== "string") return undefined;
    return {
      ...{ url, pid, node, modules: Array.isArray(modules) ? modules : [] },
      ...(typeof certificate === "string" ? { certificate } : {}),
      ...(typeof pin === "string" ? { pin } : {}),
      ...(typeof iroh === "string" ? { iroh } : {}),
    };
  } catch {
    return undefined;
  }
}

/** Whether it may be there, and this user cannot tell. */
export function isHidden(data: string): boolean {
  try {
    accessSync(join(data, NAME), constants.R_OK);
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "EACCES";
  }
}

/** Whole or not at all: a command may look at any moment. */
export function writeServerFile(data: string, file: ServerFile): void {
  const draft = join(data, `.${NAME}.${process.pid}`);
  writeFileSync(draft, `${JSON.stringify(file)}\n`, { mode: 0o600 });
  renameSync(draft, join(data, NAME));
}

/** Removes it, unless another server has written its own since. */
export function removeServerFile(data: string, { pid, url }: ServerFile): void {
  const current = readServerFile(data);
  if (current?.pid === pid && current.url === url) rmSync(join(data, NAME), { force: true });
}
