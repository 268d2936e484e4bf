// An announcement as several, one for each set of attributes in it: whoever lies about single routes takes it apart first.

import { disclose } from "../../origin/sign.ts";
import type { Announcement } from "../../wire/message.ts";

const COLUMNS = ["path", "localPreference", "tags"] as const;

export function separately(announcement: Announcement): Announcement[] {
  const { apart, ...shared } = announcement;
  if (apart === undefined) return [announcement];
  const { origin, leaves } = announcement;
  const told = (names: ReadonlySet<string>, attributes: object): Announcement => ({
    ...{ ...shared, ...attributes },
    leaves: [...disclose({ claim: origin, leaves, root: "" }, names)] as Announcement["leaves"],
  });
  const others = new Set(leaves.flatMap(([name]) => (typeof name === "string" ? [name] : [])));
  const own = apart.at.map((places, entry) => {
    const names = new Set([places].flat().map((place) => String(leaves[place]?.[0])));
    for (const name of names) others.delete(name);
    const said = COLUMNS.map((column) => [column, apart[column]?.[entry] ?? null] as const);
    return told(names, Object.fromEntries(said.filter(([, value]) => value !== null)));
  });
  return others.size === 0 ? own : [told(others, {}), ...own];
}
