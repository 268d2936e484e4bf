// Whose process listens at an address of this machine, as Linux tells everybody (proc(5)). Elsewhere it is not known.

import { readFileSync } from "node:fs";
import { isIPv4 } from "node:net";

/** `tcp_states.h`: TCP_LISTEN. */
const LISTENING = "0A";
/** `::ffff:0.0.0.0/96` as the kernel writes it. */
const MAPPED = "0000000000000000FFFF0000";

/** The users (uid) whose sockets take what is sent to the address; none where nobody listens, or nobody tells. */
export function listeningUsers(url: string, read: (table: string) => string = textOf): readonly number[] {
  const { hostname, port, protocol } = new URL(url);
  const asked = Number(port || (protocol === "https:" ? 443 : 80));
  const addresses = hostname === "localhost" ? ["127.0.0.1", "::1"] : [hostname.replace(/^\[|\]$/g, "")];
  const written = addresses.flatMap(asKernelWrites);
  // Columns: sl, local address, remote address, state, queues, timer, retransmits, uid.
  return ["/proc/net/tcp", "/proc/net/tcp6"]
    .flatMap((table) => read(table).split("\n"))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => {
      const [address = "", number = ""] = local.split(":");
      const isThere = /^0+$/.test(address) || written.includes(address);
      return state === LISTENING && isThere && Number.parseInt(number, 16) === asked;
    })
    .map((columns) => Number(columns[7]));
}

/**
 * Another user whose process it is that takes what is sent there: neither the system's, nor one's own, nor of `owner`, whose the data
 * directory's files are.
 */
export function otherUser(url: string, owner: number, read?: (table: string) => string): number | undefined {
  const known = [0, owner, process.getuid?.()];
  return listeningUsers(url, read).find((user) => !known.includes(user));
}

/** Words of four bytes, each as this machine has it in memory: the last byte first. */
function asKernelWrites(address: string): readonly string[] {
  const bytes = isIPv4(address) ? address.split(".").map(Number) : bytesOf(address);
  const words = bytes.map((_, at) => bytes[(at & ~3) + 3 - (at & 3)] as number);
  const text = Buffer.from(words).toString("hex").toUpperCase();
  return bytes.length === 4 ? [text, MAPPED + text] : [text];
}

/** Of an address of IPv6, as URLs write it: no dots, and at most one `::`. */
function bytesOf(address: string): readonly number[] {
  const [before = "", after] = address.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((one) => Number.parseInt(one, 16));
  const [first, last] = [groups(before), groups(after ?? "")];
  const all = [...first, ...Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0), ...last];
  return all.flatMap((group) => [group >> 8, group & 255]);
}

function textOf(table: string): string {
  try {
    return readFileSync(table, "utf8");
  } catch {
    return "";
  }
}
