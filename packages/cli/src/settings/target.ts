// Whom a command asks, and as whom. The administrator's token is found by itself, and is sent to nobody but a server on
// this machine that is no other user's, or the data directory's own under the very certificate that it is served under.

import { readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { formatIrohUrl, isIrohUrl, parseIrohUrl } from "@capstan/orchestrator/iroh";
import { DEFAULT_LISTEN, FaultError, fault, parseAddress, printable } from "@capstan/orchestrator/remote";
import { usageFault } from "../fault/thrown.ts";
import { reasonOf, unreadable } from "../input/json-input.ts";
import { otherUser } from "./listener.ts";
import { readServerFile, type ServerFile } from "./server-file.ts";
import type { Settings } from "./settings.ts";
import { isLocal, isOfThisMachine } from "./this-machine.ts";
import { type Trust, trustOf, trustSaid } from "./trust.ts";

export interface Target {
  readonly url: string;
  readonly token: string;
  /** The token is the data directory's administrator's, who may ask anything. */
  readonly administrator: boolean;
  /** Where the server's action modules may lie, where it runs here. */
  readonly modules: readonly string[];
  /** By what its certificate is told to be its own, beyond what this machine trusts. */
  readonly trust?: Trust;
  /** The data directory that is meant, where nobody named a server and none says there that it runs. */
  readonly stopped?: string;
}

const ADMIN_TOKEN = "admin.token";

/** @throws FaultError CREDENTIAL_MISSING, FILE_UNREADABLE, USAGE_INVALID, UNREACHABLE */
export async function findTarget(settings: Settings, cwd: string): Promise<Target> {
  const said = await urlSaid(settings);
  const data = (await settings.text("data")) as string;
  const server = readServerFile(data);
  const { url, own } =
    said === undefined ? { url: server?.url ?? (await listenUrl(settings)), own: server } : serverAt(said, server);
  const found = { url, modules: own?.modules ?? [], ...(await trusted(settings, own)) };
  const given = await givenToken(settings);
  if (given !== undefined) return { ...found, token: given, administrator: false };
  const path = join(data, ADMIN_TOKEN);
  const named = shownPath(path, cwd);
  let token: string;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch (error) {
    if (isNotThere(error) && said === undefined && server === undefined) {
      throw new FaultError(
        fault(
          "UNREACHABLE",
          `no server runs on ${shownPath(data, cwd)}: start one with capstan serve, name its directory with --data, or name one elsewhere with --url and --token-file`,
        ),
      );
    }
    throw new FaultError(fault("CREDENTIAL_MISSING", `${named} cannot be read: ${reasonOf(error)}; pass --token-file`));
  }
  // By iroh it is the key that says whose machine it is, and so does the very certificate.
  const { trust } = found;
  const certified = url.startsWith("https:") && trust !== undefined && "own" in trust && trust.own !== undefined;
  const proves = isIrohUrl(url) || certified;
  if (own === undefined ? isIrohUrl(url) || !isLocal(url) : !(proves || isOfThisMachine(url))) {
    const why = `${printable(url)} is another machine, and gets no ${named}`;
    throw new FaultError(fault("CREDENTIAL_MISSING", `${why}; pass --token-file`));
  }
  const other = proves ? undefined : otherUser(url, statSync(path).uid);
  if (other !== undefined) {
    const why = `at ${printable(url)} another user's process (uid ${other}) listens, and it gets no ${named}`;
    throw new FaultError(fault("CREDENTIAL_MISSING", `${why}; pass --token-file`));
  }
  const stopped = said === undefined && server === undefined ? { stopped: shownPath(data, cwd) } : {};
  return { ...found, token, administrator: true, ...stopped };
}

function isNotThere(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "");
}

/** Whoever may read the data directory knows the certificate of the server that runs on it, whatever names are in it. */
async function trusted(settings: Settings, own: ServerFile | undefined): Promise<{ readonly trust?: Trust }> {
  const said = await trustSaidIn(settings);
  const trust = said ?? (own === undefined ? undefined : trustOf(own));
  return trust === undefined ? {} : { trust };
}

/** What was said of the server's certificate, wherever that was. @throws FaultError FILE_UNREADABLE, USAGE_INVALID */
export async function trustSaidIn(settings: Settings): Promise<Trust | undefined> {
  const { value: pin, where } = await settings.get("serverPin");
  return trustSaid(await settings.text("ca"), pin as string | undefined, where);
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
    throw unreadable(file.value, error);
  }
  throw new FaultError(fault("CREDENTIAL_MISSING", `${printable(file.value)} is empty`));
}

/**
 * The address to ask at, and whether that is the server of this data directory. Of that one an address by iroh may be the key
 * alone: where it is, is known.
 */
export function serverAt(
  url: string,
  server: ServerFile | undefined,
): { readonly url: string; readonly own: ServerFile | undefined } {
  if (!isIrohUrl(url)) return { url, own: server?.url === url ? server : undefined };
  const asked = parseIrohUrl(url);
  if (server?.iroh === undefined || parseIrohUrl(server.iroh).id !== asked.id) return { url, own: undefined };
  const said = asked.addresses.length > 0 || asked.relay !== undefined;
  return { url: said ? url : server.iroh, own: server };
}

/** The address that was said, wherever that was. @throws FaultError USAGE_INVALID, IROH_ADDRESS_INVALID */
export async function urlSaid(settings: Settings): Promise<string | undefined> {
  const { value, where } = await settings.get("url");
  return typeof value === "string" ? urlOf(value, where) : undefined;
}

/** @param where it was said @throws FaultError USAGE_INVALID, IROH_ADDRESS_INVALID */
export function urlOf(text: string, where = "--url"): string {
  if (isIrohUrl(text)) return formatIrohUrl(parseIrohUrl(text));
  const url = URL.parse((/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`).replace(/^ws/i, "http"));
  // It is not repeated.
  if (url !== null && url.username + url.password !== "")
    throw usageFault(`${where}: no credential belongs into an address; pass --token-file`);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || url.pathname !== "/") {
    throw usageFault(`${where}: "${printable(text)}" is no address of a server, like http://${DEFAULT_LISTEN}`);
  }
  return url.origin;
}

/** The address of a server of these settings. */
async function listenUrl(settings: Settings): Promise<string> {
  const { value: listen = DEFAULT_LISTEN, where } = await settings.get("listen");
  const scheme = (await settings.text("tlsCert")) === undefined ? "http" : "https";
  const { host, port } = parseAddress(String(listen), where);
  return urlOf(fromHere(`${scheme}://${host}:${port || parseAddress(DEFAULT_LISTEN).port}`));
}

/** Where this machine asks a server that listens everywhere. */
export function fromHere(url: string): string {
  return url.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:");
}

/** `./.capstan/admin.token`, where it is below; else whole. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  if (below === "") return ".";
  return below.startsWith("..") ? printable(path) : `./${printable(below)}`;
}
