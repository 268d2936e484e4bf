// What the origin has: rows of a plugin's own table, which says of each how it is reached (TableOptions.routes), put there by one
// message for many and by one for one. Beside it, on whoever is told, the counting of what has come into the reach table.

import { authority, command, definePlugin, next, table } from "@capstan/orchestrator";
import { z } from "zod";

/** Rows that one message puts. */
export const BULK = 1000;

interface Offer {
  readonly digest: string;
}

const offers = table<Offer>("offer", "logged", {
  routes: (key, { digest }) => [[routeOf(key), digest]],
});

export const keyOf = (n: number): string => `team-${pad(Math.floor(n / 1000), 2)}.orders.task-${pad(n % 1000, 4)}`;

/** Thirty characters, as names of routes are. */
export const routeOf = (key: string): string => `offer:${key}`;

/** Of what is offered, as an action has one of its schemas. */
export const digestOf = (key: string): string => Bun.SHA256.hash(`what ${key} takes and gives`, "base64url") as string;

const pad = (n: number, digits: number): string => String(n).padStart(digits, "0");

export function offering() {
  return definePlugin({
    name: "offers",
    version: "1",
    needs: [authority],
    tables: [offers],
    messages: {
      offer: {
        add: command({
          summary: "Offer so many, from that one on.",
          data: z.strictObject({ from: z.number().int(), count: z.number().int().max(BULK) }),
          result: z.unknown(),
        }),
      },
    },
    decide({ message, state }) {
      if (message.resource !== "offer") return next();
      const { from, count } = message.data as { readonly from: number; readonly count: number };
      let after = state;
      for (let n = from; n < from + count; n++) {
        const key = keyOf(n);
        after = after.put(offers, key, { digest: digestOf(key) });
      }
      return next({ data: {}, state: after });
    },
  });
}

/** What a message of the node's own notes: a row for each route, or none. */
interface Noted {
  readonly rows: readonly unknown[];
}

/** Counts rows as they come into the table of what is reached elsewhere; `installed` is told of each message that brought some. */
export function counting(installed: (routes: number) => void) {
  return definePlugin({
    name: "counting",
    version: "1",
    needs: [authority],
    decide({ message }) {
      if (message.resource === "peer" && message.action === "reach") {
        let routes = 0;
        for (const row of (message.data as Noted).rows) if (row !== undefined) routes++;
        installed(routes);
      }
      return next();
    },
  });
}
