import { expect, test } from "bun:test";
import { filterOf, passes } from "./filter.ts";

const publication = {
  topic: "action.order",
  data: { customer: { id: 7 }, state: "paid", "7": [true, null], text: "7" },
};

test("a field that is the value, as text or as JSON, passes; one that is not there does not", () => {
  const ok = (text: string): boolean => passes(filterOf(text), publication);
  for (const text of ["data.customer.id=7", "data.state=paid", 'data.state="paid"', "data.7.0=true", "data.7.1=null"])
    expect([text, ok(text)]).toEqual([text, true]);
  for (const text of ["data.text=7", 'data.customer={"id":7}', "topic=action.order"])
    expect([text, ok(text)]).toEqual([text, true]);
  for (const text of [
    "data.customer.id=07",
    "data.nope=undefined",
    "data.__proto__.x=1",
    "data.constructor=x",
    "data.state=",
  ])
    expect([text, ok(text)]).toEqual([text, false]);
});

test("what is no filter says how one looks", () => {
  for (const text of ["data", "=7", "a..b=1", ".a=1"])
    expect(() => filterOf(text)).toThrow(`--filter "${text}" is not PATH=VALUE; write one like data.customer=7`);
  expect(filterOf("a=b=c")).toEqual({ path: ["a"], value: "b=c" });
});
