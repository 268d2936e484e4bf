// What every transport keeps to: the one suite that all of them run. Only tests import it.

import { describe } from "bun:test";
import { describeEnds } from "./conformance-ends.fixture.ts";
import { describeOrder } from "./conformance-order.fixture.ts";
import { describeSessions } from "./conformance-sessions.fixture.ts";
import type { Wire } from "./wire.fixture.ts";

export function describeTransport(wire: Wire): void {
  describe(`${wire.name}: sessions`, () => describeSessions(wire));
  describe(`${wire.name}: order`, () => describeOrder(wire));
  describe(`${wire.name}: links`, () => describeEnds(wire));
}
