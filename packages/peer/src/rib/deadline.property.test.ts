// Whoever drives a RIB sleeps until its deadline and ticks: whatever happens, it must not spin, and must come to rest.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { announce, config, limits, peer, update, WALL } from "./rib.fixture.ts";
import { Rib } from "./rib.ts";

test("a tick leaves nothing that is due: whoever sleeps until the deadline does not spin", () => {
  const kinds = ["announce", "withdraw", "open", "end", "close", "sleep", "set the clock"] as const;
  const step = fc.record({
    kind: fc.constantFrom(...kinds, "announce", "withdraw", "sleep"),
    peer: fc.nat(1),
    name: fc.nat(2),
    epoch: fc.integer({ min: 1, max: 3 }),
    lasts: fc.integer({ min: -50, max: 300 }),
    ms: fc.constantFrom(1, 999, 1000, 30_000, 90_500, 200_000),
  });
  const damping = { withdrawal: 1000, change: 500, suppressAt: 1500, reuseAt: 750, most: 12_000, halfLife: 60_000 };
  const both = [peer("n-1"), peer("n-2")].map((each) => ({ ...each, limits: limits({ damping }) }));
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const rib = new Rib(config());
      let [now, wall] = [0, WALL];
      for (const each of both) rib.openPeer(each, { now, wall });
      for (const { kind, peer: index, name, epoch, lasts, ms } of steps) {
        const at = { now, wall };
        const { node, domain } = both[index]!;
        const told = { path: [domain, "d-n-o"], epoch, expires: Math.floor(wall) + lasts };
        if (kind === "announce") rib.receive(node, update(announce("n-o", [`action:${name}`], told)), at);
        else if (kind === "withdraw") rib.receive(node, update([], [`action:${name}`]), at);
        else if (kind === "open") rib.openPeer(both[index]!, at);
        else if (kind === "end") rib.endOfTable(node, at);
        else if (kind === "close") rib.closePeer(node, now + ms, at);
        else if (kind === "sleep") [now, wall] = [now + ms, wall + ms / 1000];
        else wall += lasts * 10;
        const due = rib.deadline();
        if (due === undefined || due > now) continue;
        rib.tick({ now, wall });
        expect(rib.deadline() ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
      }
      // And whoever does sleep until then comes to an end.
      for (let ticks = 0; rib.deadline() !== undefined && ticks < 500; ticks += 1) {
        const sleep = rib.deadline()! - now;
        [now, wall] = [now + sleep, wall + sleep / 1000];
        rib.tick({ now, wall });
        expect(rib.deadline() ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
      }
      expect(rib.deadline()).toBeUndefined();
      for (const { node } of both) {
        for (const { filtered } of rib.received(node)) expect(filtered?.why).toBe("expired");
      }
    }),
    { numRuns: 200 },
  );
});
