import { expect, test } from "bun:test";
import { listeningUsers, otherUser } from "./listener.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const line = (local: string, uid: number, state = "0A") =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 1 1 0 100 0 0 10 0\n`;
const NONE = "0".repeat(32);
const TABLES: Readonly<Record<string, string>> = {
  "/proc/net/tcp": `${HEAD}${line("0100007F:1CFC", 1001)}${line("0100007F:1CFD", 1002, "01")}${line("0501A8C0:1CFC", 1003)}${line("00000000:1CFE", 1004)}`,
  "/proc/net/tcp6": `${HEAD}${line(`${NONE}:1CFF`, 1005)}${line("00000000000000000000000001000000:1CFC", 1006)}${line("B80D0120000000000000000001000000:1CFC", 1007)}${line("0000000000000000FFFF00000100007F:1D00", 1008)}`,
};
const users = (url: string) => listeningUsers(url, (table) => TABLES[table] ?? "");

test("whoever listens at an address, or at all of them, is told by their user", () => {
  expect(users("http://127.0.0.1:7420")).toEqual([1001]);
  expect(users("http://192.168.1.5:7420")).toEqual([1003]);
  expect(users("http://127.0.0.1:7422")).toEqual([1004]);
  expect(users("http://127.0.0.1:7423")).toEqual([1005]);
  expect(users("http://localhost:7420")).toEqual([1001, 1006]);
  expect(users("http://[::1]:7420")).toEqual([1006]);
  expect(users("http://[2001:db8::1]:7420")).toEqual([1007]);
  expect(users("http://127.0.0.1:7424")).toEqual([1008]);
});

test("where nobody listens, or nobody tells, there is none", () => {
  for (const url of ["http://127.0.0.1:7421", "http://10.0.0.1:7420", "http://127.0.0.1"])
    expect(users(url)).toEqual([]);
  expect(listeningUsers("http://127.0.0.1:7420", () => "")).toEqual([]);
});

test("the system's, one's own and the directory's owner's are no others", () => {
  const other = (owner: number, uid: number) =>
    otherUser("http://127.0.0.1:7420", owner, (table) => (table.endsWith("tcp") ? line("0100007F:1CFC", uid) : ""));
  expect(other(1001, 1001)).toBeUndefined();
  expect(other(1001, 0)).toBeUndefined();
  expect(other(1001, process.getuid?.() ?? 0)).toBeUndefined();
  expect(other(1001, 65533)).toBe(65533);
});

test("this process is who it is", () => {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  if (process.platform === "linux") expect(listeningUsers(String(server.url))).toEqual([process.getuid?.() ?? -1]);
});
