// An invitation to peer, as a file: everything that the other node has to be configured with, and the secret of the two. Whoever
// has the file can come as the invited node, once: it is its owner's alone, and never on a command line or in a log.

import { type FileHandle, open, stat, unlink } from "node:fs/promises";
import { resolve } from "node:path";
import { FaultError, fault, isPin, printable } from "@capstan/orchestrator/remote";
import { z } from "zod";
import type { Io } from "../io.ts";
import { fileText, parseJson, reasonOf, unreadable } from "./json-input.ts";

const FORMAT = "capstan.peer-invite/1";
/** More than any invitation has. */
const MOST_BYTES = 64 * 1024;

const bytes32 = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, "is not 32 bytes in base64url");
const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "is no id");

const inviteSchema = z.strictObject({
  format: z.literal(FORMAT, `is not "${FORMAT}"`),
  /** Where the inviting node is reached. */
  url: z.string().min(1).max(2000),
  node: identifier,
  name: z.string().max(256),
  domain: identifier,
  /** Its public key. */
  key: bytes32,
  /** Of the certificate that is served there. */
  pin: z.string().refine(isPin).exactOptional(),
  secret: bytes32,
  expires: z.iso.datetime(),
});

export type Invite = Omit<z.output<typeof inviteSchema>, "format">;

export interface NewInvite {
  write(invite: Invite): Promise<void>;
  /** The node refused, or what was to be in it is not known: an empty file is of use to nobody. */
  remove(): Promise<void>;
}

/** A new file of mode 0600. @throws FaultError FILE_UNWRITABLE; nothing is overwritten */
export async function newInvite(io: Io, path: string): Promise<NewInvite> {
  const file = resolve(io.cwd, path);
  let handle: FileHandle;
  try {
    handle = await open(file, "wx", 0o600);
  } catch (error) {
    throw unwritable(path, error);
  }
  return {
    async write(invite) {
      try {
        await handle.writeFile(`${JSON.stringify({ format: FORMAT, ...invite }, null, 2)}\n`);
        await handle.sync();
      } catch (error) {
        throw unwritable(path, error);
      } finally {
        await handle.close();
      }
    },
    async remove() {
      await handle.close();
      await unlink(file);
    },
  };
}

function unwritable(path: string, error: unknown): FaultError {
  return new FaultError(fault("FILE_UNWRITABLE", `${printable(path)} cannot be made: ${reasonOf(error)}`));
}

export interface ReadInvite {
  readonly invite: Invite;
  /** Somebody else on this machine may read it too. */
  readonly exposed: boolean;
}

/** @throws FaultError FILE_UNREADABLE, INVITE_INVALID */
export async function readInvite(io: Io, path: string, now: number): Promise<ReadInvite> {
  const shown = printable(path);
  const found = await stat(resolve(io.cwd, path)).catch((error) => {
    throw unreadable(path, error);
  });
  if (!found.isFile() || found.size > MOST_BYTES) throw invalid(`${shown} is no invitation: ${kindOf(found)}`);
  let value: unknown;
  try {
    value = parseJson(await fileText(io, path), shown);
  } catch (thrown) {
    // What of the text is wrong would show of the text.
    if (thrown instanceof FaultError && thrown.code === "JSON_INVALID")
      throw invalid(`${shown} is no invitation: it is not JSON; was it cut off on its way?`);
    throw thrown;
  }
  const parsed = inviteSchema.safeParse(value);
  if (!parsed.success) throw invalid(`${shown} is no invitation: ${problemIn(parsed.error)}`);
  const { format: _format, ...invite } = parsed.data;
  if (Date.parse(invite.expires) <= now) {
    const inviter = printable(invite.name);
    throw invalid(`${shown} expired at ${invite.expires}; have ${inviter} make another: capstan peer invite`);
  }
  return { invite, exposed: process.platform !== "win32" && (found.mode & 0o077) !== 0 };
}

function kindOf(found: { isFile(): boolean }): string {
  return found.isFile() ? `it is larger than ${MOST_BYTES / 1024} KiB` : "it is no file";
}

/** Names a field, and never what stands in it: that may be the secret. */
function problemIn({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue?.code === "unrecognized_keys")
    return "it has fields that this capstan does not know; is it of a newer one?";
  return `its ${printable(issue?.path.join(".") || "content")} is missing, or is not as it was written`;
}

function invalid(text: string): FaultError {
  return new FaultError(fault("INVITE_INVALID", text));
}
