// Whom a command asks, and as whom. The administrator's token is found by itself, and is sent to nobody but a server on
// this machine.

import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { DEFAULT_LISTEN, FaultError, fault, printable } from "@capstan/orchestrator";
import { usageFault } from "../fault/thrown.ts";
import { reasonOf } from "../input/json-input.ts";
import { readServerFile } from "./server-file.ts";
import type { Settings } from "./settings.ts";

export interface Target {
  readonly url: string;
  readonly token: string;
  /** The token is the data directory's administrator's, who may ask anything. */
  readonly administrator: boolean;
  /** Where the server's action modules may lie, where it runs here. */
  readonly modules: readonly string[];
}

const ADMIN_TOKEN = "admin.token";

/** @throws FaultError CREDENTIAL_MISSING, FILE_UNREADABLE, USAGE_INVALID, UNREACHABLE */
export async function findTarget(settings: Settings, cwd: string): Promise<Target> {
  const said = await settings.text("url");
  const data = (await settings.text("data")) as string;
  const server = readServerFile(data);
  const url =
    said === undefined ? (server?.url ?? listenUrl((await settings.text("listen")) ?? DEFAULT_LISTEN)) : urlOf(said);
  const modules = server !== undefined && server.url === url ? server.modules : [];
  const given = await givenToken(settings);
  if (given !== undefined) return { url, token: given, administrator: false, modules };
  const path = join(data, ADMIN_TOKEN);
  const named = shownPath(path, cwd);
  let token: string;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT" && said === undefined && server === undefined) {
      throw new FaultError(
        fault(
          "UNREACHABLE",
          `no server runs here: start one with capstan serve, or name one with --url and --token-file`,
        ),
      );
    }
    throw new FaultError(fault("CREDENTIAL_MISSING", `${named} cannot be read: ${reasonOf(error)}; pass --token-file`));
  }
  if (!isLocal(url)) {
    const why = `${printable(url)} is another machine, and gets no ${named}`;
    throw new FaultError(fault("CREDENTIAL_MISSING", `${why}; pass --token-file`));
  }
  return { url, token, administrator: true, modules };
}

async function givenToken(settings: Settings): Promise<string | undefined> {
  const token = await settings.get("token");
  const file = await settings.get("tokenFile");
  if (token.source === "flag" && file.source === "flag")
    throw usageFault("--token and --token-file say the same twice; give one");
  // A flag of one wins over a variable of the other.
  if (typeof token.value === "string" && file.source !== "flag") return token.value;
  if (typeof file.value !== "string") return undefined;
  try {
    const text = readFileSync(file.value, "utf8").trim();
    if (text !== "") return text;
  } catch (error) {
    throw new FaultError(fault("FILE_UNREADABLE", `${printable(file.value)} cannot be read: ${reasonOf(error)}`));
  }
  throw new FaultError(fault("CREDENTIAL_MISSING", `${printable(file.value)} is empty`));
}

/** @throws FaultError USAGE_INVALID */
export function urlOf(text: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || url.pathname !== "/") {
    throw usageFault(`--url "${printable(text)}" is no address of a server, like http://${DEFAULT_LISTEN}`);
  }
  return url.origin;
}

/** The address of a server of these settings; one that listens everywhere is asked here. */
function listenUrl(listen: string): string {
  const address = listen.includes(":") ? listen : `127.0.0.1:${listen}`;
  return urlOf(
    address
      .replace(/^0\.0\.0\.0:/, "127.0.0.1:")
      .replace(/^\[::\]:/, "[::1]:")
      .replace(/:0$/, `:${DEFAULT_LISTEN.split(":")[1]}`),
  );
}

export function isLocal(url: string): boolean {
  const host = new URL(url).hostname;
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** `./.capstan/admin.token`, where it is below; else whole. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  if (below === "") return ".";
  return below.startsWith("..") ? printable(path) : `./${printable(below)}`;
}
