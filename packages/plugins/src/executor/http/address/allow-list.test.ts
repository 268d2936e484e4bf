import { describe, expect, test } from "bun:test";
import { allowList } from "./allow-list.ts";
import { parseIp } from "./ip-address.ts";

const list = allowList([
  "127.0.0.1:*",
  "10.0.0.0/8",
  "192.168.7.7:8080",
  "[::1]:8443",
  "fd00::/8",
  "[fc00::/64]:80",
  "intern.example:443",
  "*.corp.example:8443",
  "LOCALHOST.:*",
]);

describe("the allow-list", () => {
  test.each([
    ["127.0.0.1", 1, true],
    ["::ffff:127.0.0.1", 1, true],
    ["127.0.0.2", 1, false],
    ["10.1.2.3", 9999, true],
    ["11.1.2.3", 9999, false],
    ["192.168.7.7", 8080, true],
    ["192.168.7.7", 8081, false],
    ["::1", 8443, true],
    ["::1", 80, false],
    ["fd00::5", 5, true],
    ["fc00::5", 80, true],
    ["fc00::5", 81, false],
    ["fc00:0:0:1::5", 80, false],
  ])("an address, %s port %i: %p", (address, port, expected) => {
    expect(list.address(parseIp(address)!, port)).toBe(expected);
  });

  test.each([
    ["intern.example", 443, true],
    ["intern.example", 80, false],
    ["x.intern.example", 443, false],
    ["xintern.example", 443, false],
    ["a.corp.example", 8443, true],
    ["a.b.corp.example", 8443, true],
    ["corp.example", 8443, false],
    ["evilcorp.example", 8443, false],
    ["localhost", 5, true],
    ["127.0.0.1", 5, false],
  ])("a name, %s port %i: %p", (name, port, expected) => {
    expect(list.name(name, port)).toBe(expected);
  });

  test.each([
    "",
    ":80",
    "http://intern.example",
    "intern.example:0",
    "intern.example:65536",
    "intern.example:http",
    "10.0.0.0/33",
    "10.0.0/8",
    "0x7f.1:80",
    "2130706433",
    "*",
    "*:80",
    "in*.example",
    "a..b",
    "[intern.example]:80",
    "[::1",
    "::ffff:10.0.0.0/104",
    "fe80::1%eth0",
    "intern.example/8",
    "::1:80:*",
  ])("refuses %p at start, and says the forms", (entry) => {
    expect(() => allowList([entry])).toThrow(/is not of the form .*10\.0\.0\.0\/8/);
  });
});
