import { expect, test } from "bun:test";
import { formatIrohUrl, isIrohUrl, parseIrohUrl } from "./address.ts";

const ID = "3af193cd268a4457168eacff6e8d0e3786901bc9d322957448f28e4c3e33fb5f";

test.each([
  [`iroh://${ID}`, { id: ID, addresses: [] }],
  [`IROH://${ID.toUpperCase()}/`, { id: ID, addresses: [] }],
  [`iroh://${ID}?addr=127.0.0.1:7420`, { id: ID, addresses: ["127.0.0.1:7420"] }],
  [`iroh://${ID}?addr=berlin.example:1,[::1]:2`, { id: ID, addresses: ["berlin.example:1", "[::1]:2"] }],
  [`iroh://${ID}?addr=10.0.0.1:1&addr=10.0.0.2:1`, { id: ID, addresses: ["10.0.0.1:1", "10.0.0.2:1"] }],
  [`iroh://${ID}?relay=default`, { id: ID, addresses: [], relay: "default" }],
  [
    `iroh://${ID}?addr=10.0.0.1:1&relay=https://relay.example`,
    { id: ID, addresses: ["10.0.0.1:1"], relay: "https://relay.example" },
  ],
])("%s", (url, address) => {
  expect(parseIrohUrl(url)).toEqual(address as never);
  expect(parseIrohUrl(formatIrohUrl(parseIrohUrl(url)))).toEqual(address as never);
});

test.each([
  ["iroh://", "64 hexadecimal digits"],
  [`iroh://${ID}0`, "64 hexadecimal digits"],
  [`iroh://${ID}/rpc`, "64 hexadecimal digits"],
  [`iroh://user@${ID}`, "64 hexadecimal digits"],
  [`iroh://${ID}?addr=`, "is no host:port"],
  [`iroh://${ID}?addr=127.0.0.1`, "is no host:port"],
  [`iroh://${ID}?addr=127.0.0.1:0`, "is no host:port"],
  [`iroh://${ID}?addr=127.0.0.1:65536`, "is no host:port"],
  [`iroh://${ID}?addr=a b:1`, "is no host:port"],
  [`iroh://${ID}?relay=ftp://x`, "neither an https address nor default"],
  [`iroh://${ID}?relay=default&relay=default`, "more than one relay"],
  [`iroh://${ID}?adr=127.0.0.1:1`, "and not adr"],
])("%s is none", (url, why) => {
  expect(() => parseIrohUrl(url)).toThrow(why);
});

test("what an address by iroh is, is told by its scheme", () => {
  expect([`iroh://${ID}`, "IROH://x", "http://iroh", "iroh"].map(isIrohUrl)).toEqual([true, true, false, false]);
});
