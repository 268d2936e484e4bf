import { describe, expect, test } from "bun:test";
import { hostOf } from "./address/checked-address.ts";
import { type Hop, headersOf, nextHop } from "./hop.ts";

const first: Hop = {
  url: new URL("https://a.test/x?key=secret"),
  method: "GET",
  headers: new Headers({ accept: "*/*", traceparent: "00-1" }),
  ownHeaders: new Headers({ authorization: "Bearer secret", "x-own": "secret", "idempotency-key": "k" }),
  body: undefined,
  own: true,
};

function headersAfter(...locations: string[]): Record<string, string> {
  const hop = locations.reduce((from, location) => nextHop(from, 302, location), first);
  return headersOf(hop, hostOf(hop.url)).toJSON() as Record<string, string>;
}

describe("a hop", () => {
  test("to the same origin has all headers", () => {
    expect(headersAfter("/y")).toEqual({
      accept: "*/*",
      traceparent: "00-1",
      authorization: "Bearer secret",
      "x-own": "secret",
      "idempotency-key": "k",
      host: "a.test",
    });
  });

  test.each(["https://b.test/", "https://a.test:444/", "https://a.test./", "//sub.a.test/"])(
    "to %s has none that was meant for the configured origin",
    (location) => {
      expect(headersAfter(location)).toEqual({
        accept: "*/*",
        traceparent: "00-1",
        host: new URL(location, first.url).host.replace(/\.$/, ""),
      });
    },
  );

  test("back from another origin has none either: where it goes was not ours to say", () => {
    expect(headersAfter("https://b.test/", "https://a.test/admin")).not.toHaveProperty("authorization");
  });

  test("never leaves https", () => {
    expect(() => nextHop(first, 302, "http://a.test/")).toThrow("it leaves https");
  });

  test("carries a body to no other origin, and as GET carries none", () => {
    const post = { ...first, method: "POST", body: "{}" };
    expect(() => nextHop(post, 307, "https://b.test/")).toThrow("body");
    expect(nextHop(post, 303, "https://b.test/")).toMatchObject({ method: "GET", body: undefined });
  });
});
