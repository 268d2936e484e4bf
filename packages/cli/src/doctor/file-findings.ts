// The data directory and its files: whose they are, and who else may read or write them.

import { lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { reasonOf } from "../input/json-input.ts";
import { type Finding, Findings } from "./finding.ts";

/** Whoever reads one of these can act as the node or its administrator. */
const SECRETS = ["node.key", "node.key.next", "admin.token", "recover.request"];
/** Whoever has a pair's secret and the node's key can come to that peer as the node. */
const PEERS = "peers";
/** What was asked of the node, in plain text; also of a log that was moved aside. */
const CONTENT = /^log\.db(\.replaced-[^.]*?)?(-wal|-journal)?$/;

const OTHERS_WRITE = 0o022;
const OTHERS_AT_ALL = 0o077;

export function fileFindings(
  directory: string,
  shown: string,
  uid = process.getuid?.(),
  look = lookInto,
): readonly Finding[] {
  const found = new Findings("files");
  let names: string[];
  try {
    const { mode, uid: owner } = lstatSync(directory);
    look(directory);
    names = [...readdirSync(directory).sort(), ...secretsOfPeers(directory)];
    if (mode & OTHERS_WRITE) found.fail(`others may write in ${shown} (0${octal(mode)})`, `chmod 700 ${shown}`);
    else if (mode & OTHERS_AT_ALL) found.warn(`others may look into ${shown} (0${octal(mode)})`, `chmod 700 ${shown}`);
    if (uid !== undefined && uid !== 0 && owner !== uid) {
      found.fail(`${shown} belongs to user ${owner}, and this is user ${uid}`, `run the node as user ${owner}`);
    }
  } catch (error) {
    return found.fail(`${shown} cannot be read: ${reasonOf(error)}`, TODO[codeOf(error)] ?? OTHERWISE).list;
  }
  for (const name of names) {
    const stat = lstatSync(join(directory, name), { throwIfNoEntry: false });
    // Gone since, or a link, which has no mode of its own.
    if (stat === undefined || stat.isSymbolicLink()) continue;
    const path = `${shown}/${name}`;
    if ((SECRETS.includes(name) || name.startsWith(`${PEERS}/`)) && stat.mode & OTHERS_AT_ALL) {
      found.fail(
        `others may read ${path} (0${octal(stat.mode)})`,
        `chmod 600 ${path}; who has read it has it for good`,
      );
    } else if (stat.mode & OTHERS_WRITE) {
      found.fail(`others may write ${path} (0${octal(stat.mode)})`, `chmod go-w ${path}`);
    } else if (CONTENT.test(name) && stat.mode & OTHERS_AT_ALL) {
      found.warn(`others may read ${path} (0${octal(stat.mode)})`, `chmod 600 ${path}`);
    }
  }
  if (found.list.length === 0) found.ok(`${shown} and its ${names.length} files are their owner's`);
  return found.list;
}

const OTHERWISE = "name another with --data";
const TODO: Readonly<Record<string, string>> = {
  ENOENT: `capstan serve makes it; or ${OTHERWISE}`,
  EACCES: `look as the user that the node runs as, or ${OTHERWISE}`,
};

/** Whether it stands there, and this user may not look into it, or it is no directory: then nothing in it can be told of. */
export function isClosed(directory: string, look = lookInto): boolean {
  try {
    look(directory);
    return false;
  } catch (error) {
    return codeOf(error) !== "ENOENT";
  }
}

/** Reads it and looks up what is in it, which are two permissions. @throws what the file system does */
function lookInto(directory: string): void {
  readdirSync(directory);
  statSync(`${directory}/.`);
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}

function secretsOfPeers(directory: string): string[] {
  const path = join(directory, PEERS);
  // A link in the directory is not followed.
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
  const names = readdirSync(path).sort();
  return names.map((name) => `${PEERS}/${name}`);
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8);
}
