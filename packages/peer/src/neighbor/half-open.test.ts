// Connections that one side believes in and the other has given up. A proof says who the peer is; when it made its offer says
// what it can still know of.

import { expect, test } from "bun:test";
import type { Name } from "../session/session.fixture.ts";
import { handshake, other } from "../session/session.fixture.ts";
import type { Session } from "../session/session.ts";
import { newcomerStays } from "./collision.ts";
import { TwoNeighbors } from "./two-neighbors.fixture.ts";

test("a peer that dials again was refused until the hold time, where it was the lower id and we had dialled before", () => {
  for (const gave of ["low", "upper"] as const satisfies Name[]) {
    for (const dialler of ["low", "upper"] as const satisfies Name[]) {
      const pair = new TwoNeighbors();
      pair.input(other(dialler), { type: "start" });
      pair.stallDial(other(dialler));
      pair.input(dialler, { type: "start" });
      pair.quiet();
      const before = pair.established(gave) as string;
      expect(pair.neighbors[dialler].dialled.connection).toBe(before);
      pair.lose(gave, before);
      const since = pair.now;
      while (pair.established(gave) === undefined && pair.wait(since + 30_000));
      expect(pair.established(gave)).toBeDefined();
      expect(pair.established("low")).toBe(pair.established("upper") as string);
      expect(pair.open).toHaveLength(1);
      // Whoever had not noticed counts it: the peer has lost it.
      expect(pair.neighbors[other(gave)].flapping.flaps).toBe(1);
    }
  }
});

test("a proof that was long on its way, of a dial that the peer has given up, ended the newer session", () => {
  const { acceptorEstablished } = handshake();
  const at = (offeredAt: number): Session => ({ ...acceptorEstablished, offeredAt, establishedAt: offeredAt + 50 });
  expect(newcomerStays(at(1_000), at(2_000), "n-upper")).toBe(false);
  expect(newcomerStays(at(2_000), at(1_000), "n-upper")).toBe(true);
});
