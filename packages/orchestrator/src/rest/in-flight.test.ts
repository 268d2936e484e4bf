// What a grant may have under way: counted from the first byte to the answer, and given back.

import { expect, test } from "bun:test";
import type { FaultError } from "../fault/fault.ts";
import { InFlight } from "./in-flight.ts";

function refusal(act: () => unknown): unknown {
  try {
    return act();
  } catch (thrown) {
    return (thrown as FaultError).toFault();
  }
}

test("a grant has its calls, and another has its own", () => {
  const inFlight = new InFlight({ callsInFlight: 2, inboundBytes: 100 });
  const first = inFlight.take("g-1", 0);
  inFlight.take("g-1", 0);
  expect(refusal(() => inFlight.take("g-1", 0))).toMatchObject({
    code: "SESSION_BUDGET",
    details: { limit: "callsInFlight" },
  });
  inFlight.take("g-2", 0).over();
  first.over();
  inFlight.take("g-1", 0);
});

test("a body of unknown size holds what it may be of, and once it was read what it is of", () => {
  const inFlight = new InFlight({ callsInFlight: 10, inboundBytes: 100 });
  const share = inFlight.take("g-1", 60);
  expect(refusal(() => inFlight.take("g-1", 60))).toMatchObject({ details: { limit: "inboundBytes", size: 100 } });
  share.read(10);
  const other = inFlight.take("g-1", 60);
  share.over();
  other.over();
  expect(inFlight.size).toBe(0);
});
