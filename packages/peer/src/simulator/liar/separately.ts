// An announcement as several, one for each set of attributes in it: whoever lies about single routes takes it apart first.

import { disclose } from "../../origin/sign.ts";
import type { Announcement } from "../../wire/message.ts";

export function separately(announcement: Announcement): Announcement[] {
  const { apart = [], ...shared } = announcement;
  if (apart.length === 0) return [announcement];
  const { origin, leaves } = announcement;
  const told = (names: ReadonlySet<string>, attributes: object): Announcement => ({
    ...{ ...shared, ...attributes },
    leaves: [...disclose({ claim: origin, leaves, root: "" }, names)] as Announcement["leaves"],
  });
  const others = new Set(leaves.flatMap(([name]) => (typeof name === "string" ? [name] : [])));
  const own = apart.map(({ at, ...attributes }) => {
    const names = new Set(at.map((place) => String(leaves[place]?.[0])));
    for (const name of names) others.delete(name);
    return told(names, attributes);
  });
  return others.size === 0 ? own : [told(others, {}), ...own];
}
