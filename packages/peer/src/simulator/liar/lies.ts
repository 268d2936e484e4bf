// What a liar may say of one name: every lie is an announcement, made of what it overheard and of what it can sign itself.

import { signChunks } from "../../origin/sign.ts";
import type { Announcement } from "../../wire/message.ts";
import { wordsOf } from "../../wire/words.ts";
import type { Random } from "../random.ts";
import type { Stolen } from "./loot.ts";

export const LIES = [
  "hijack", // originates somebody's name itself, by its own id and key
  "borrowed-id", // … by the owner's id and its own key
  "forged", // … by the owner's id and key, and 64 bytes that are no signature of it
  "altered", // the owner's genuine claim over another digest
  "leak", // passes on what it should keep to itself
  "shorten", // leaves out the domains between itself and the origin: more attractive
  "replay", // the first that it heard of the name: an earlier incarnation's, or withdrawn since
  "endless", // a path of hundreds of domains
  "loop", // the receiver's own domain in the path
  "first-domain", // a path that does not begin with itself
  "last-domain", // a path that does not end with the origin
  "malformed", // an announcement that is none, among good siblings
  "expired", // its own name, by a signature of yesterday
  "promise", // its own name, by a signature for ten years
] as const;
export type LieKind = (typeof LIES)[number];

/** A liar's own means. */
export interface Means {
  readonly node: string;
  readonly domain: string;
  readonly key: string;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly epoch: number;
  /** Seconds since 1970. */
  readonly wall: number;
  readonly lifetime: number;
  readonly random: Random;
}

/** What it says of a name to a peer of that domain. `malformed` ones are no announcements. */
export type Told = (peerDomain: string) => unknown;

const YEAR = 365 * 86_400;
const ENDLESS = 300;

export function makeLie(kind: LieKind, stolen: { readonly first: Stolen; readonly last: Stolen }, means: Means): Told {
  const { last } = stolen;
  const { announcement, name } = last;
  const { domain, random } = means;
  const origin = announcement.origin;
  const passedOn = (path: readonly string[]): Announcement =>
    withoutPreference({ ...announcement, path: wordsOf(path) });
  switch (kind) {
    case "hijack":
      return always(signed(name, means, {}, [domain]));
    case "borrowed-id":
      return always(signed(name, means, { node: origin.node, domain: origin.domain }, [domain, origin.domain]));
    case "forged": {
      const sign = (): Uint8Array => random.bytes(64);
      const { node, key } = origin;
      return always(signed(name, { ...means, sign }, { node, domain: origin.domain, key }, [domain, origin.domain]));
    }
    case "altered": {
      const leaves = announcement.leaves.map((item) =>
        typeof item[0] === "string" ? [item[0], digest(random)] : item,
      );
      return always({ ...passedOn([domain, origin.domain]), leaves });
    }
    case "leak":
      return always(passedOn([domain, announcement.path]));
    case "shorten":
      // Nobody outside its domain may set our preference (RFC 4271 §5.1.5).
      return always({ ...passedOn([domain, origin.domain]), localPreference: 4_000_000_000 });
    case "replay":
      return always({
        ...withoutPreference(stolen.first.announcement),
        path: wordsOf([domain, stolen.first.announcement.origin.domain]),
      });
    case "endless":
      return always(passedOn([domain, ...Array.from({ length: ENDLESS }, (_, at) => `nowhere-${at}`), origin.domain]));
    case "loop":
      return (peerDomain) => passedOn([domain, peerDomain, origin.domain]);
    case "first-domain":
      return always(passedOn([origin.domain]));
    case "last-domain":
      return always(passedOn([domain, origin.domain, "elsewhere"]));
    case "malformed":
      return always({ ...passedOn([domain, origin.domain]), ...random.pick(MALFORMATIONS) });
    case "expired":
      return always(signed(ownName(means), { ...means, wall: means.wall - 86_400, lifetime: 60 }, {}, [domain]));
    case "promise":
      return always(signed(ownName(means), { ...means, lifetime: 10 * YEAR }, {}, [domain]));
    default:
      return kind satisfies never;
  }
}

/** The name that a lie of that kind is about. */
export const lieName = (kind: LieKind, stolen: Stolen, means: Pick<Means, "node">): string =>
  kind === "expired" || kind === "promise" ? ownName(means) : stolen.name;

/** Each leaves the routes to be told (RFC 7606 §3: they are treated as withdrawn). */
const MALFORMATIONS: readonly object[] = [
  { path: 17 },
  { path: "two  blanks" },
  { localPreference: -1 },
  { tags: "tag ?" },
  { colour: "blue" },
  { origin: {} },
];

const ownName = ({ node }: Pick<Means, "node">): string => `action:${node}.promised`;
const always =
  (announcement: unknown): Told =>
  () =>
    announcement;
const digest = (random: Random): string => Buffer.from(random.bytes(32)).toString("base64url");

function withoutPreference({ localPreference: _, ...announcement }: Announcement): Announcement {
  return announcement;
}

function signed(
  name: string,
  means: Means,
  as: { readonly node?: string; readonly domain?: string; readonly key?: string },
  path: readonly string[],
): Announcement {
  const { node, domain, key, epoch, wall, lifetime, sign, random } = means;
  const who = { node, domain, key, epoch, expires: Math.floor(wall) + lifetime, ...as };
  const [chunk] = signChunks([[name, digest(random)]], who, sign);
  if (chunk === undefined) throw new Error("one route makes one chunk");
  return { path: wordsOf(path), origin: chunk.claim, leaves: [...chunk.leaves] as Announcement["leaves"] };
}
