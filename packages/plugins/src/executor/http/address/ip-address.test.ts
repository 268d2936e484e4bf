import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isWithin, network, parseIp, reachOf } from "./ip-address.ts";

function reach(text: string): string {
  const address = parseIp(text);
  return address === undefined ? "no address" : reachOf(address);
}

describe("an address is", () => {
  test.each([
    ["1.1.1.1", "public"],
    ["9.255.255.255", "public"],
    ["11.0.0.0", "public"],
    ["100.63.255.255", "public"],
    ["100.128.0.0", "public"],
    ["126.255.255.255", "public"],
    ["128.0.0.0", "public"],
    ["172.15.255.255", "public"],
    ["172.32.0.0", "public"],
    ["223.255.255.255", "public"],
    ["2606:4700:4700::1111", "public"],
    ["2001:4860:4860::8888", "public"],
    ["64:ff9b::1.1.1.1", "public"],
    ["2002:101:101::1", "public"],
    ["::ffff:1.1.1.1", "public"],
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "unspecified"],
    ["10.0.0.1", "private"],
    ["10.255.255.255", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "shared"],
    ["100.127.255.255", "shared"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["169.254.169.254", "link-local"],
    ["192.0.0.8", "reserved"],
    ["192.0.2.1", "documentation"],
    ["198.51.100.7", "documentation"],
    ["203.0.113.9", "documentation"],
    ["198.18.0.1", "reserved"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.255", "multicast"],
    ["240.0.0.1", "reserved"],
    ["255.255.255.255", "reserved"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["0:0:0:0:0:0:0:1", "loopback"],
    ["::127.0.0.1", "reserved"],
    ["::7f00:1", "reserved"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:7f00:1", "loopback"],
    ["0:0:0:0:0:ffff:10.0.0.1", "private"],
    ["::ffff:0:127.0.0.1", "reserved"],
    ["64:ff9b::127.0.0.1", "loopback"],
    ["64:ff9b::a00:1", "private"],
    ["64:ff9b:1::1.1.1.1", "reserved"],
    ["2002:7f00:1::", "loopback"],
    ["2002:a00:1::1", "private"],
    ["2002:a9fe:a9fe::", "link-local"],
    ["2001::1", "reserved"],
    ["2001:db8::1", "documentation"],
    ["3fff::1", "documentation"],
    ["fc00::1", "private"],
    ["fd12:3456:789a::1", "private"],
    ["fe80::1", "link-local"],
    ["febf::1", "link-local"],
    ["fec0::1", "private"],
    ["ff02::1", "multicast"],
    ["100::1", "reserved"],
    ["4000::1", "reserved"],
    ["5f00::1", "reserved"],
    ["fe80::1%eth0", "no address"],
    ["::1%lo", "no address"],
    ["0x7f.1", "no address"],
    ["2130706433", "no address"],
    ["127.0.0.01", "no address"],
    ["127.1", "no address"],
    ["localhost", "no address"],
    ["", "no address"],
    ["1.1.1.1.", "no address"],
  ])("%s: %s", (text, expected) => {
    expect(reach(text)).toBe(expected);
  });

  test("never public in IPv6 where it is not in IPv4", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), (bytes) => {
        const ipv4 = bytes.join(".");
        const hex = bytes.map((one) => one.toString(16).padStart(2, "0"));
        const pairs = `${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`;
        for (const form of [`::ffff:${ipv4}`, `::ffff:${pairs}`, `64:ff9b::${ipv4}`, `2002:${pairs}::1`]) {
          expect(reach(form)).toBe(reach(ipv4));
        }
        expect(parseIp(`::ffff:${pairs}`)?.text).toBe(ipv4);
        expect(reach(`::${pairs}`)).not.toBe("public");
      }),
    );
  });
});

test("a network holds what begins as it does", () => {
  const ten = network("10.0.0.0/8");
  expect(isWithin(parseIp("10.200.1.1")!, ten)).toBe(true);
  expect(isWithin(parseIp("11.0.0.1")!, ten)).toBe(false);
  expect(isWithin(parseIp("::1")!, network("0.0.0.0/0"))).toBe(false);
  expect(isWithin(parseIp("fd00::1")!, network("fd00::/8"))).toBe(true);
  for (const text of ["10.0.0.0", "10.0.0.0/33", "::/129", "x/8", "10.0.0.0/8/8", "/8"]) {
    expect(() => network(text)).toThrow("is no network");
  }
});
