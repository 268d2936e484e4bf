// Four nodes, each its own domain: `a` follows what `c` publishes, by `b` and by `d`. Two of the links are dialled from the side that
// asks, and two from the other.

import { randomBytes } from "node:crypto";
import { NodeProcess, type Session } from "../network/node-process.ts";

const NAMES = ["a", "b", "c", "d"] as const;
export type SiteName = (typeof NAMES)[number];
export type Sites = Readonly<Record<SiteName, NodeProcess>>;

/** Who dials, and who is dialled. */
const LINKS: readonly (readonly [SiteName, SiteName])[] = [
  ["a", "b"],
  ["c", "b"],
  ["d", "a"],
  ["d", "c"],
];

/** Short, so that fifty kills take minutes; long enough for a busy machine of two processors. */
const TIMING = {
  ...{ holdTime: 5_000, connectTime: 2_000, openTime: 3_000, restartTime: 5_000, deferral: 2_000 },
  ...{ advertisementInterval: 20, backoff: { first: 50, last: 500 } },
};
const EXPORT = { clauses: [{ name: "everything", then: "accept" as const }] };
const IMPORT = { clauses: [{ name: "everything", then: "accept" as const, unowned: true }] };

export const ACTION = "tick";
export const TOPIC = `action.${ACTION}`;
export const RECEIVER = "keep";

export async function startSites(home: string, started: NodeProcess[]): Promise<Sites> {
  const sites = Object.fromEntries(NAMES.map((name) => [name, new NodeProcess(home, name, TIMING)])) as Sites;
  started.push(...Object.values(sites));
  await Promise.all(started.map((site) => site.start()));
  const sessions = new Map(started.map((site) => [site.name, site.connect()]));
  const scopeOf = ({ name }: NodeProcess) => (sessions.get(name) as Session).scope;
  await Promise.all(
    started.map(async (site) => {
      site.key = ((await scopeOf(site).peer.identity({})) as { key: string }).key;
    }),
  );
  await scopeOf(sites.c).action.register({ name: ACTION, protocol: "write-down" });
  await scopeOf(sites.a).receiver.register({ name: RECEIVER, protocol: "write-down" });
  for (const [dials, dialled] of LINKS) {
    const secret = randomBytes(32).toString("base64url");
    for (const [here, there, address] of [
      [sites[dialled], sites[dials], undefined],
      [sites[dials], sites[dialled], sites[dialled].url],
    ] as const) {
      const kept = await scopeOf(here).peer.keep({ name: there.name, secret });
      await scopeOf(here).peer.add({
        ...{ name: there.name, node: there.id, keys: [there.key], secrets: [kept.secret as never] },
        ...{ import: IMPORT, export: EXPORT, ...(address === undefined ? {} : { address }) },
        // Damping is for routes that come and go all the time, as all of them do here.
        limits: { damping: false },
      });
    }
  }
  for (const session of sessions.values()) session.close();
  return sites;
}
