// Reads secrets: from the environment, from files, and from sources that the operator adds. A reference that cannot be followed is
// SECRET_UNKNOWN; the fault names the reference, never the secret.

import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { dirname, normalize, sep } from "node:path";
import { type Awaitable, type Fault, FaultError, fault, printable, type Right } from "@capstan/orchestrator";
import { rightOf } from "./secret.ts";

/** By scheme: `vault: (path, signal) => …` is asked for `{ secret: "vault:<path>" }`. What it throws is told to nobody. */
export type SecretSources = Readonly<Record<string, (path: string, signal: AbortSignal) => Awaitable<string>>>;

/** The least length. Shorter secrets occur in ordinary text by chance, and could not be redacted. */
export const SHORTEST_SECRET = 6;
const LONGEST_SECRET_BYTES = 16 * 1024;

export interface Secrets {
  /** Why a reference cannot be followed, whatever is behind it. */
  flaw(reference: string): Fault | undefined;
  /** @throws FaultError SECRET_UNKNOWN, SECRET_UNAVAILABLE, or that a right is missing */
  read(reference: string, allows: (right: Right) => Fault | undefined, signal: AbortSignal): Promise<string>;
}

/** @throws TypeError where a scheme is no valid name, or is taken */
export function secretSources(
  added: SecretSources = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Secrets {
  const schemes = ["env", "file", ...Object.keys(added)];
  for (const scheme of Object.keys(added)) {
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(scheme) || scheme === "env" || scheme === "file")
      throw new TypeError(`secrets: "${scheme}" cannot be a scheme: lower case letters, digits and -, not env or file`);
  }

  function flaw(reference: string): Fault | undefined {
    const { scheme, path } = divided(reference);
    if (!schemes.includes(scheme)) return unknown(reference, `there are ${schemes.map((one) => `${one}:`).join(", ")}`);
    if (scheme === "env" && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(path))
      return unknown(reference, "that is no variable's name");
    // Clauses match prefixes, so that `/srv/../etc` must not pass for `/srv/`.
    if (scheme === "file" && (!path.startsWith("/") || normalize(path) !== path || path.endsWith("/")))
      return unknown(reference, "the path must be absolute, without . and ..");
    return undefined;
  }

  async function find(reference: string, allows: (right: Right) => Fault | undefined, signal: AbortSignal) {
    const { scheme, path } = divided(reference);
    if (scheme === "env") return environment[path] ?? unset(reference);
    if (scheme === "file") return readSecretFile(reference, path, allows);
    const source = added[scheme] as SecretSources[string];
    try {
      return await unlessAborted(source(path, signal), signal);
    } catch {
      // The source's own text is not shown: it may contain secrets.
      throw new FaultError(fault("SECRET_UNAVAILABLE", `${reference}: its source did not give it; try again later`));
    }
  }

  return {
    flaw,
    async read(reference, allows, signal) {
      const unfit = flaw(reference) ?? allows(rightOf(reference));
      if (unfit !== undefined) throw new FaultError(unfit);
      const text: unknown = await find(reference, allows, signal);
      if (typeof text !== "string") throw new FaultError(unknown(reference, "its source gave no text"));
      if (text.length < SHORTEST_SECRET)
        throw new FaultError(
          unknown(reference, `it is shorter than ${SHORTEST_SECRET} characters, too short to be kept out of texts`),
        );
      if (text.length > LONGEST_SECRET_BYTES) throw new FaultError(tooLarge(reference));
      return text;
    },
  };
}

/** The file's text without a final newline. */
async function readSecretFile(
  reference: string,
  path: string,
  allows: (right: Right) => Fault | undefined,
): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) throw new FaultError(unreadable(reference));
  // A link may lead to a file of the same directory (as Kubernetes mounts secrets), or to one that the grant covers.
  const beside = await realpath(dirname(path)).catch(() => undefined);
  if (beside === undefined || !real.startsWith(beside.endsWith(sep) ? beside : `${beside}${sep}`)) {
    const refused = allows(rightOf(`file:${real}`));
    if (refused !== undefined)
      throw new FaultError(unknown(reference, "it is a link out of its directory, to what no grant covers"));
  }
  // Non-blocking, because opening a pipe would wait for a writer.
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (file === undefined) throw new FaultError(unreadable(reference));
  try {
    const { size } = await regular(file, reference);
    if (size > LONGEST_SECRET_BYTES) throw new FaultError(tooLarge(reference));
    const bytes = Buffer.alloc(LONGEST_SECRET_BYTES + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    if (bytesRead > LONGEST_SECRET_BYTES) throw new FaultError(tooLarge(reference));
    return bytes
      .subarray(0, bytesRead)
      .toString("utf8")
      .replace(/\r?\n$/, "");
  } finally {
    await file.close();
  }
}

async function regular(file: Awaited<ReturnType<typeof open>>, reference: string) {
  const found = await file.stat();
  if (!found.isFile()) throw new FaultError(unknown(reference, "it is no regular file"));
  return found;
}

function divided(reference: string): { readonly scheme: string; readonly path: string } {
  const at = reference.indexOf(":");
  return { scheme: reference.slice(0, Math.max(at, 0)), path: reference.slice(at + 1) };
}

function unknown(reference: string, why: string): Fault {
  return fault("SECRET_UNKNOWN", `secret "${printable(reference, 200)}": ${why}`);
}

function unset(reference: string): never {
  throw new FaultError(
    unknown(reference, "the node's environment has no such variable; set it and start the node again"),
  );
}

function unreadable(reference: string): Fault {
  return unknown(reference, "there is no such file that the node can read");
}

function tooLarge(reference: string): Fault {
  return unknown(reference, `it is larger than ${LONGEST_SECRET_BYTES} bytes`);
}

/** The awaited value, or a rejection once the signal is aborted. */
export function unlessAborted<T>(awaited: Awaitable<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    Promise.resolve(awaited)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}
