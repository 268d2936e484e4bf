// What may come instead of a message: one that was changed in its structure, in its values or in its text. Of equal randomness
// equal frames; it knows JSON, and of the protocol only the words that stand in the messages that it is given.

import type { SeededRandom } from "../chaos/seeded-random.ts";

type Json = null | boolean | number | string | Json[] | { [member: string]: Json };
type Container = Json[] | { [member: string]: Json };
/** Where a value stands. */
interface Place {
  readonly parent: Container;
  readonly key: string;
}

const NAMES = ["__proto__", "constructor", "toString", "toJSON", "then", "length", "type", "seq", "leaves", ""];

/** A frame in the place of `message`, and never that itself; `others` lend their parts. */
export function mutate(message: object, others: readonly object[], random: SeededRandom): string {
  const before = JSON.stringify(message);
  for (;;) {
    const text = mutateOnce(JSON.parse(before), others, random);
    if (text !== before) return text;
  }
}

function mutateOnce(message: Json, others: readonly object[], random: SeededRandom): string {
  let value = message;
  const changes = random.next() < 0.6 ? 1 : random.upTo(3);
  for (let n = 0; n < changes; n++) if (random.next() < 0.85) value = changeStructure(value, others, random);
  const text = JSON.stringify(value) ?? "";
  return random.next() < 0.2 ? changeText(text, random) : text;
}

function changeStructure(root: Json, others: readonly object[], random: SeededRandom): Json {
  const places = placesIn(root);
  if (places.length === 0 || random.next() < 0.01) return oddValue(random);
  const { parent, key } = random.pick(places);
  const value = get(parent, key);
  switch (random.upTo(10)) {
    case 1:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      break;
    case 2:
      set(parent, Array.isArray(parent) ? String(parent.length) : random.pick(NAMES), value);
      break;
    case 3: {
      const other = random.pick(places);
      const theirs = get(other.parent, other.key);
      // One into the other would be a circle.
      set(parent, key, copy(theirs));
      break;
    }
    case 4: {
      const lent = random.pick(placesIn(random.pick(others) as Json));
      set(parent, random.next() < 0.5 ? key : lent.key, copy(get(lent.parent, lent.key)));
      break;
    }
    case 5:
      set(parent, random.pick(NAMES), oddValue(random));
      break;
    case 6:
      set(parent, key, random.next() < 0.5 ? [value] : { value });
      break;
    case 7:
      if (Array.isArray(value)) repeat(value, random);
      else set(parent, key, oddValue(random));
      break;
    case 8:
      if (Array.isArray(value)) value.reverse();
      else set(parent, key, near(value, random));
      break;
    case 9:
      set(parent, key, oddValue(random));
      break;
    default:
      set(parent, key, near(value, random));
  }
  return root;
}

/** A little beside what was there. */
function near(value: Json, random: SeededRandom): Json {
  if (typeof value === "number") return value + random.pick([-1, 1, 0.5, 2 ** 31, 2 ** 53, -value, 1e300]);
  if (typeof value === "boolean") return !value;
  if (typeof value !== "string") return oddValue(random);
  const at = Math.floor(random.next() * (value.length + 1));
  const odd = random.pick([
    "",
    "A",
    "z",
    " ",
    ":",
    "\u0000",
    "\n",
    "\u001b[2J",
    "\u202e",
    "\u200b",
    "\ud800",
    "é",
    "/",
    "=",
  ]);
  return value.slice(0, at) + odd + value.slice(at + random.upTo(2) - 1);
}

function oddValue(random: SeededRandom): Json {
  switch (random.upTo(16)) {
    case 1:
      return null;
    case 2:
      return random.next() < 0.5;
    case 3:
      return random.pick([
        -1,
        0,
        1,
        2,
        3,
        0.5,
        -0,
        1024,
        1025,
        65_535,
        65_536,
        2 ** 32,
        2 ** 53,
        -(2 ** 53),
        1e21,
        1e308,
      ]);
    case 4:
      return "";
    case 5:
      return "x".repeat(random.pick([1, 43, 64, 65, 86, 255, 256, 512, 513, 5000]));
    case 6:
      return "A".repeat(random.pick([42, 43, 44, 86]));
    case 7:
      return random.pick([
        "action:greet",
        "action:*",
        "action:",
        ":",
        "action:a b",
        "action:\u0000",
        "action:\ud83d",
        "a:__proto__",
      ]);
    case 8:
      return random.pick([
        "open",
        "proof",
        "keepalive",
        "update",
        "end-of-table",
        "route-refresh",
        "notification",
        "close",
      ]);
    case 9:
      return [];
    case 10:
      return {};
    case 11:
      return JSON.parse(`${"[".repeat(40)}${"]".repeat(40)}`);
    case 12:
      return JSON.parse('{"__proto__":{"type":"close"},"length":3}');
    case 13:
      return Array.from({ length: random.pick([1, 17, 33]) }, () => "x");
    case 14:
      return random.pick(["\u0000", "\u001b]0;x\u0007", "\u2028", "\ufeff", "\udfff", "<script>", "%s%n"]);
    case 15:
      return random.pick<Json>([
        [["action:greet", ""]],
        [["action:greet", "", "idempotent"]],
        ["a:b", "", "READ-ONLY"],
      ]);
    default:
      return random.pick(["n-victim", "n-outside", "n-inside", "victims", "outside", "osaka"]);
  }
}

/** Mostly a few times more; now and then past every limit. */
function repeat(list: Json[], random: SeededRandom): void {
  const more = random.next() < 0.002 ? 20_000 : random.upTo(random.next() < 0.05 ? 1200 : 40);
  const one = list.length === 0 ? oddValue(random) : (random.pick(list) as Json);
  for (let n = 0; n < more; n++) list.push(one);
}

function changeText(text: string, random: SeededRandom): string {
  const at = Math.floor(random.next() * (text.length + 1));
  const to = at + random.upTo(random.next() < 0.5 ? 1 : 60);
  switch (random.upTo(7)) {
    case 1:
      return text.slice(0, at);
    case 2:
      return text.slice(0, at) + text.slice(to);
    case 3:
      return text.slice(0, to) + text.slice(at);
    case 4:
      return text + text.slice(0, at);
    case 5:
      return (
        text.slice(0, at) +
        random.pick(["{", "}", "[", "]", '"', ",", ":", "\\", "\\u", "e99", "-", "\u0000", "😀"]) +
        text.slice(at)
      );
    case 6:
      return (
        text.slice(0, at) +
        random.pick(["1e400", "-0", "null", "0.1", "1e-7", '"\\ud800"', "{}", "[]"]) +
        text.slice(to)
      );
    default: {
      const flipped = String.fromCharCode(
        text.charCodeAt(Math.min(at, text.length - 1)) ^ (1 << Math.floor(random.next() * 8)),
      );
      return text.slice(0, at) + flipped + text.slice(at + 1);
    }
  }
}

function placesIn(root: Json): Place[] {
  const places: Place[] = [];
  const walk = (value: Json) => {
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ parent: value, key });
      walk(get(value, key));
    }
  };
  walk(root);
  return places;
}

/** Not `structuredClone`, which takes ten times as long for values as small as these. */
function copy(value: Json): Json {
  return typeof value === "object" && value !== null ? JSON.parse(JSON.stringify(value)) : value;
}

function get(parent: Container, key: string): Json {
  return (parent as { [key: string]: Json })[key] as Json;
}

/** A member of its own, whatever it is called. */
function set(parent: Container, key: string, value: Json): void {
  if (Array.isArray(parent) && !/^\d+$/.test(key)) parent.push(value);
  else Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}
