// What a liar overheard: announcements that others made, with signatures that are genuine. It keeps the first and the last of
// each name, and never forgets one: what was withdrawn, or is of an earlier incarnation, is worth most to it.

import { disclose } from "../../origin/sign.ts";
import type { Announcement, Leaf, Message } from "../../wire/message.ts";
import { separately } from "./separately.ts";

export interface Stolen {
  readonly name: string;
  /** With that name's leaf alone. */
  readonly announcement: Announcement;
}

export class Loot {
  readonly #first = new Map<string, Stolen>();
  readonly #last = new Map<string, Stolen>();

  /** Names, in the order in which they were first heard. */
  get names(): readonly string[] {
    return [...this.#first.keys()];
  }

  first(name: string): Stolen | undefined {
    return this.#first.get(name);
  }

  last(name: string): Stolen | undefined {
    return this.#last.get(name);
  }

  /** A frame as it came; it may be from a liar too. */
  hear(text: string): void {
    if (!text.includes('"update"')) return;
    const message = parsed(text);
    if (message?.type !== "update") return;
    const announced = (message.announce as readonly Announcement[]).filter(looksWell);
    for (const announcement of announced.flatMap(separately)) {
      for (const item of announcement.leaves) if (typeof item[0] === "string") this.#keep(item as Leaf, announcement);
    }
  }

  #keep([name]: Leaf, announcement: Announcement): void {
    const { origin, leaves } = announcement;
    const alone = disclose(
      { claim: origin, leaves: leaves as (typeof announcement)["leaves"], root: "" },
      new Set([name]),
    );
    const stolen = { name, announcement: { ...announcement, leaves: [...alone] } as Announcement };
    if (!this.#first.has(name)) this.#first.set(name, stolen);
    this.#last.set(name, stolen);
  }
}

function parsed(text: string): Message | undefined {
  try {
    return JSON.parse(text) as Message;
  } catch {
    return undefined;
  }
}

/** Enough to be passed on without throwing. */
function looksWell(announcement: Announcement): boolean {
  const { path, origin, leaves } = announcement;
  if (typeof path !== "string" || !Array.isArray(leaves) || typeof origin?.node !== "string") return false;
  const told = leaves.reduce(
    (sum, item) => sum + (Array.isArray(item) && typeof item[0] === "number" ? item[0] : 1),
    0,
  );
  return told === origin.size && placesAreTold(announcement);
}

function placesAreTold({ apart, leaves }: Announcement): boolean {
  if (apart === undefined) return true;
  return Array.isArray(apart?.at) && apart.at.flat().every((place) => typeof leaves[place]?.[0] === "string");
}
