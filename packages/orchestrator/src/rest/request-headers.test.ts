// What a request's headers say of a call: what is taken, what is refused, and what is ignored as its law has it.

import { expect, test } from "bun:test";
import type { FaultError } from "../fault/fault.ts";
import { accepts, askedBy, isJson, matchesTag, requestIdOf } from "./request-headers.ts";

function asked(headers: Record<string, string>) {
  try {
    return askedBy(new Headers(headers), "r-1");
  } catch (thrown) {
    return (thrown as FaultError).toFault();
  }
}

test.each([
  ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"],
  ["8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
  ['"a \\"b\\" \\\\, c"', 'a "b" \\, c'],
  ["order:7/retry", "order:7/retry"],
])("Idempotency-Key: %s is the key %j", (header, key) => {
  expect(asked({ "idempotency-key": header })).toMatchObject({ options: { key } });
});

test.each(['"a', 'a"', '"a" ; x=1', "a, b", '"a", "b"', "a b", '"\\a"'])("Idempotency-Key: %s is refused", (header) => {
  expect(asked({ "idempotency-key": header })).toMatchObject({ code: "REQUEST_MALFORMED" });
});

test("an idempotency key is as long as a key may be", () => {
  expect(asked({ "idempotency-key": `"${"a".repeat(200)}"` })).toMatchObject({ options: { key: "a".repeat(200) } });
  expect(asked({ "idempotency-key": '""' })).toMatchObject({ code: "MESSAGE_INVALID" });
  expect(asked({ "idempotency-key": "a".repeat(201) })).toMatchObject({ code: "MESSAGE_INVALID" });
});

test.each([
  ["wait=5", 5_000, "wait=5"],
  ["Wait = 5 ; foo=bar", 5_000, "wait=5"],
  ['wait="0"', 0, "wait=0"],
  ["wait=3600", 60_000, "wait=60"],
  ["respond-async", 0, "respond-async"],
  ["respond-async, wait=10", 10_000, "wait=10"],
  ["return=minimal, wait=2, wait=9", 2_000, "wait=2"],
  ["wait=soon", 30_000, undefined],
  ["wait=-1", 30_000, undefined],
  ["", 30_000, undefined],
])("Prefer: %s waits %d ms", (prefer, wait, applied) => {
  expect(asked({ prefer })).toMatchObject({ options: { wait }, applied: applied as string });
});

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
test.each([
  [traceparent, traceparent],
  [`${traceparent.replace(/^00/, "01")}-later`, traceparent.replace(/^00/, "01")],
  [`${traceparent}-later`, undefined],
  [traceparent.replace(/^00/, "ff"), undefined],
  [traceparent.toUpperCase(), undefined],
  ["00-00000000000000000000000000000000-00f067aa0ba902b7-01", undefined],
  ["nonsense", undefined],
])("traceparent %s is carried as %p", (header, carried) => {
  expect(asked({ traceparent: header })).toMatchObject({ options: { traceparent: carried } });
});

test("a deadline is milliseconds since the epoch", () => {
  expect(asked({ "capstan-deadline": "1900000000000" })).toMatchObject({ options: { deadline: 1_900_000_000_000 } });
  expect(asked({ "capstan-deadline": "tomorrow" })).toMatchObject({ code: "REQUEST_MALFORMED" });
  expect(asked({ "capstan-deadline": "0" })).toMatchObject({ code: "MESSAGE_INVALID" });
});

test("a request's id is the caller's where it is plain, and otherwise a new one", () => {
  expect(requestIdOf(new Headers({ "x-request-id": "abc-1" }))).toBe("abc-1");
  for (const given of [{}, { "x-request-id": "a b" }, { "x-request-id": "a".repeat(201) }]) {
    expect(requestIdOf(new Headers(given))).toMatch(/^r-[\w-]{16}$/);
  }
});

test.each([
  [null, true],
  ["*/*", true],
  ["application/*;q=0.5, text/html", true],
  ["application/json;q=0", false],
  ["application/json;q=0, */*", false],
  ["application/json; q=0.001", true],
  ["text/html", false],
  ["application/problem+json", false],
])("Accept: %p takes JSON: %p", (accept, taken) => {
  expect(accepts(accept, "application", "json")).toBe(taken);
});

test.each([
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ["*", true],
  ['"b"', false],
  ["a", false],
  [null, false],
])("If-None-Match: %p is met: %p", (header, met) => {
  expect(matchesTag(header, '"a"')).toBe(met);
});

test.each([
  [{ "content-type": "application/json" }, true],
  [{ "content-type": 'Application/JSON; charset="UTF-8"' }, true],
  [{ "content-type": "application/json; charset=latin1" }, false],
  [{ "content-type": "text/plain" }, false],
  [{ "content-type": "application/x-www-form-urlencoded" }, false],
  [{ "content-type": "multipart/form-data; boundary=application/json" }, false],
  [{ "content-type": "application/json", "content-encoding": "gzip" }, false],
  [{}, false],
])("%j says JSON: %p", (headers, json) => {
  expect(isJson(new Headers(headers as Record<string, string>))).toBe(json);
});
