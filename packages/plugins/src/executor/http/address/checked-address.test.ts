import { describe, expect, test } from "bun:test";
import { faultFrom } from "../../template/call.fixture.ts";
import { allowList } from "./allow-list.ts";
import { checkedAddresses, hostOf, refusedHost } from "./checked-address.ts";

const NOTHING = allowList([]);
const { signal } = new AbortController();

function addressesOf(url: string, answers: readonly string[] | Error, allowed: readonly string[] = []) {
  const asked: string[] = [];
  const resolve = async (name: string) => {
    asked.push(name);
    if (answers instanceof Error) throw answers;
    return answers;
  };
  const allow = allowList(allowed);
  return { asked, found: () => checkedAddresses(hostOf(new URL(url)), { allow, resolve, signal }) };
}

describe("a URL's host is refused before anything is asked, spelled", () => {
  test.each([
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://2130706433/",
    "http://127.0.0.1:8080/",
    "http://%31%32%37.0.0.1/",
    "http://１２７.0.0.1/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://1/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:169.254.169.254]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[2002:c0a8:0101::1]/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://[ff02::1]/",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://192.0.2.1/",
  ])("%s", async (url) => {
    expect(refusedHost(hostOf(new URL(url)), NOTHING)?.code).toBe("HTTP_ADDRESS_REFUSED");
    const { asked, found } = addressesOf(url, ["1.1.1.1"]);
    expect((await faultFrom(found)).code).toBe("HTTP_ADDRESS_REFUSED");
    expect(asked).toEqual([]);
  });

  test.each([
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::1]x/",
    "http://256.0.0.1/",
    "http://1.2.3.4.5/",
  ])("%s, which is no URL at all", (url) => {
    expect(URL.parse(url)).toBeNull();
  });
});

describe("a name", () => {
  test("is asked for once, and every address that it has is judged", async () => {
    const { asked, found } = addressesOf("https://Example.COM./x", ["1.1.1.1", "2606:4700::1"]);
    expect((await found()).map(({ text }) => text)).toEqual(["1.1.1.1", "2606:4700::1"]);
    expect(asked).toEqual(["example.com"]);
  });

  test.each([
    "127.0.0.1",
    "1.1.1.1,10.0.0.1",
    "::ffff:192.168.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "not an address",
  ])("that has %s is refused", async (answers) => {
    const fault = await faultFrom(addressesOf("http://rebind.example/", answers.split(",")).found);
    expect(fault.code).toBe("HTTP_ADDRESS_REFUSED");
    expect(fault.message).toStartWith('"rebind.example" resolves to ');
    expect(fault.message).toEndWith("the operator's httpAllow would have to list rebind.example:80");
  });

  test("is not opened by the network that it points into, only by itself", async () => {
    const byNetwork = addressesOf("http://rebind.example/", ["10.0.0.1"], ["10.0.0.0/8"]);
    expect((await faultFrom(byNetwork.found)).code).toBe("HTTP_ADDRESS_REFUSED");
    const byName = addressesOf("http://intern.example/", ["10.0.0.1", "127.0.0.1"], ["intern.example:80"]);
    expect(await byName.found()).toHaveLength(2);
    const otherPort = addressesOf("http://intern.example:81/", ["10.0.0.1"], ["intern.example:80"]);
    expect((await faultFrom(otherPort.found)).code).toBe("HTTP_ADDRESS_REFUSED");
  });

  test.each(["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1"])(
    "that the operator lists is still not followed to %s",
    async (address) => {
      const { found } = addressesOf("http://intern.example/", [address], ["intern.example"]);
      expect(await faultFrom(found)).toMatchObject({
        code: "HTTP_ADDRESS_REFUSED",
        message: expect.stringContaining("a name does not open that"),
      });
    },
  );

  test("without an address is unreachable", async () => {
    for (const answers of [[], Object.assign(new Error("x"), { code: "ENOTFOUND" }), new Error("odd")]) {
      expect((await faultFrom(addressesOf("http://gone.example/", answers).found)).code).toBe("HTTP_UNREACHABLE");
    }
  });

  test("whose resolver never answers is let go when the call ends", async () => {
    const ended = new AbortController();
    const host = hostOf(new URL("http://slow.example/"));
    const resolve = () => new Promise<never>(() => {});
    const found = checkedAddresses(host, { allow: NOTHING, resolve, signal: ended.signal });
    ended.abort(new Error("over"));
    await expect(found).rejects.toThrow("over");
  });

  test.each(["http://a..b/", "http://.a/", "http://../", "http://a../"])("of the form %s is none", async (url) => {
    const { asked, found } = addressesOf(url, ["1.1.1.1"]);
    expect((await faultFrom(found)).code).toBe("CONFIG_INVALID");
    expect(asked).toEqual([]);
  });
});
