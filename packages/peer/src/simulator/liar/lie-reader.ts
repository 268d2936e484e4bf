// What a liar's frames come to, read from the wire by itself: it uses none of the protocol's own reading, so that an error
// there does not become the truth here. One reader stands behind one connection, in the liar's direction.

import { createPublicKey, hash, verify } from "node:crypto";
import type { Lie } from "../world.ts";

interface Read {
  readonly digest: string;
  readonly announcement: Announcement;
  /** Which pass of the table it was told in: what an end-of-table does not find told again is gone. */
  readonly pass: number;
}

/** Whether that key is the node's, as the operators of all of them know it. */
type KeyCheck = (node: string, key: string) => boolean;

export class LieReader {
  /** The end-of-table came: what stands is the whole table. */
  whole = false;
  readonly #routes = new Map<string, Read>();
  #pass = 0;

  frame(text: string): void {
    const message = json(text);
    if (!isObject(message)) return;
    if (message.type === "route-refresh" && message.phase === "begin") this.#pass++;
    if (message.type === "end-of-table") {
      this.whole = true;
      for (const [name, { pass }] of this.#routes) if (pass < this.#pass) this.#routes.delete(name);
    }
    if (message.type === "update") this.#update(message);
  }

  routes(keyIs: KeyCheck): Lie[] {
    const genuine = new Map<Announcement, boolean>();
    for (const { announcement } of this.#routes.values()) {
      const { node, key } = announcement.origin;
      if (!genuine.has(announcement)) genuine.set(announcement, keyIs(node, key) && isSigned(announcement));
    }
    const names = [...this.#routes].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return names.map(([name, { digest, announcement }]) => {
      const { path, tags = "", localPreference, origin } = { ...announcement, ...ownOf(announcement, name) };
      const { node, domain: originDomain, epoch, expires } = origin;
      const preference = localPreference === undefined ? {} : { localPreference };
      const claimed = { origin: node, originDomain, epoch, expires, genuine: genuine.get(announcement) === true };
      return { name, digest, path: listed(path), tags: listed(tags), ...preference, ...claimed };
    });
  }

  #update({ withdraw, announce }: Record<string, unknown>): void {
    if (!Array.isArray(withdraw) || !Array.isArray(announce)) return;
    for (const name of withdraw) this.#routes.delete(name);
    // RFC 7606: malformed ones first, for a good one of the same name in the same update replaces them.
    const good: Announcement[] = [];
    for (const one of announce) {
      const read = readAnnouncement(one);
      if (read !== undefined) good.push(read);
      else for (const name of namesOf(one)) this.#routes.delete(name);
    }
    for (const announcement of good) {
      for (const [name, digest] of announcement.leaves) {
        if (typeof name === "string") this.#routes.set(name, { digest, announcement, pass: this.#pass });
      }
    }
  }
}

interface Announcement {
  readonly path: string;
  readonly localPreference?: number;
  readonly tags?: string;
  readonly origin: {
    readonly node: string;
    readonly domain: string;
    readonly key: string;
    readonly epoch: number;
    readonly expires: number;
    readonly size: number;
    readonly signature: string;
  };
  readonly apart?: Apart;
  readonly leaves: readonly (readonly [string | number, string])[];
}

/** Attributes of single routes, in columns. */
interface Apart {
  readonly at: readonly (number | readonly number[])[];
  readonly path?: readonly (string | null)[];
  readonly localPreference?: readonly (number | null)[];
  readonly tags?: readonly (string | null)[];
}

const WORD = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MEMBERS = ["path", "localPreference", "tags", "apart", "origin", "leaves"];
const MEMBERS_APART = ["at", "path", "localPreference", "tags"];

function readAnnouncement(value: unknown): Announcement | undefined {
  if (!isObject(value) || !isObject(value.origin)) return undefined;
  const { path, localPreference, tags, apart, origin, leaves } = value;
  const words = (text: unknown): boolean => typeof text === "string" && listed(text).every((one) => WORD.test(one));
  const whole = (one: unknown): boolean => Number.isSafeInteger(one) && (one as number) >= 0;
  const isColumn = (list: unknown, is: (entry: unknown) => boolean, long: number): boolean =>
    list === undefined ||
    (Array.isArray(list) && list.length === long && list.every((entry) => entry === null || is(entry)));
  const isApart = (one: unknown): boolean =>
    isObject(one) &&
    Object.keys(one).every((member) => MEMBERS_APART.includes(member)) &&
    Array.isArray(one.at) &&
    one.at.length > 0 &&
    one.at.every((at) => whole(at) || (Array.isArray(at) && at.length > 0 && at.every(whole))) &&
    isColumn(one.path, words, one.at.length) &&
    isColumn(one.tags, words, one.at.length) &&
    isColumn(one.localPreference, whole, one.at.length);
  const well =
    Object.keys(value).every((member) => MEMBERS.includes(member)) &&
    words(path) &&
    (tags === undefined || words(tags)) &&
    (localPreference === undefined || whole(localPreference)) &&
    [origin.node, origin.domain].every((one) => typeof one === "string" && WORD.test(one)) &&
    [origin.epoch, origin.expires, origin.size].every(whole) &&
    [origin.key, origin.signature].every((one) => typeof one === "string") &&
    Array.isArray(leaves) &&
    (apart === undefined || (isApart(apart) && noneTwice(apart as Apart, leaves)));
  return well ? (value as unknown as Announcement) : undefined;
}

/** Every place is a route's, and told once. */
function noneTwice({ at }: Apart, leaves: Announcement["leaves"]): boolean {
  const places = at.flat();
  return new Set(places).size === places.length && places.every((at) => typeof leaves[at]?.[0] === "string");
}

/** What is said of a route alone. */
function ownOf({ apart, leaves }: Announcement, name: string): Partial<Announcement> {
  const isOf = (places: number | readonly number[]): boolean =>
    [places].flat().some((place) => leaves[place]?.[0] === name);
  const entry = apart?.at.findIndex(isOf) ?? -1;
  const [path, localPreference, tags] = [apart?.path?.[entry], apart?.localPreference?.[entry], apart?.tags?.[entry]];
  return {
    ...(typeof path === "string" ? { path } : {}),
    ...(typeof localPreference === "number" ? { localPreference } : {}),
    ...(typeof tags === "string" ? { tags } : {}),
  };
}

const listed = (text: string): string[] => (text === "" ? [] : text.split(" "));

function namesOf(value: unknown): string[] {
  if (!isObject(value) || !Array.isArray(value.leaves)) return [];
  return value.leaves.flatMap((item) => (Array.isArray(item) && typeof item[0] === "string" ? [item[0]] : []));
}

function isSigned({ origin, leaves }: Announcement): boolean {
  const { node, domain, key, epoch, expires, size, signature } = origin;
  const items = [...leaves];
  const root = rootOf(items, size);
  if (root === undefined || items.length > 0) return false;
  const lines = ["capstan route origin/1", node, domain, key, epoch, expires, size, root.toString("base64url"), ""];
  try {
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key }, format: "jwk" });
    return verify(null, Buffer.from(lines.join("\n")), publicKey, Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}

/** RFC 6962 §2.1. Takes what it reads from `items`. */
function rootOf(items: (readonly [string | number, string])[], size: number): Buffer | undefined {
  const [first] = items;
  if (first === undefined) return undefined;
  if (first[0] === size) {
    items.shift();
    return Buffer.from(first[1], "base64url");
  }
  if (size === 1) {
    items.shift();
    return typeof first[0] === "string" ? hash("sha256", `\0${first[0]} ${first[1]}`, "buffer") : undefined;
  }
  let half = 1;
  while (half * 2 < size) half *= 2;
  const left = rootOf(items, half);
  const right = left && rootOf(items, size - half);
  return left && right && hash("sha256", Buffer.concat([Buffer.from([1]), left, right]), "buffer");
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
