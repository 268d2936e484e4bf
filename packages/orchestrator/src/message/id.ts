// Ids of messages: ULID-like (time first, so that ids of one node sort as they were made, and the log finds an entry by
// its id without an index). https://github.com/ulid/spec, shortened to 45 bits of time and 35 bits of randomness.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford base32
const TIME_CHARACTERS = 9;
/** The random characters that end an id; before them stand its prefix and its time. */
export const RANDOM_CHARACTERS = 7;
const RANDOM_LIMIT = 2 ** 35;

/** Length of an id's part after its prefix: `m-` + 16 characters. */
export const ID_CHARACTERS = TIME_CHARACTERS + RANDOM_CHARACTERS;

/** An id's last characters, the low digits of the counter, come from a table: only they change within a millisecond. */
const LOW_CHARACTERS = 2;
const LOW_VALUES = 32 ** LOW_CHARACTERS;
const LOW_TEXTS: readonly string[] = Array.from({ length: LOW_VALUES }, (_, low) => encode(low, LOW_CHARACTERS));

function encode(value: number, characters: number): string {
  let text = "";
  for (let i = 0; i < characters; i++) {
    text = ALPHABET[value % 32] + text;
    value = Math.floor(value / 32);
  }
  return text;
}

/** The time in an id, in milliseconds since the epoch; `undefined` where the text is no id. */
export function timeOfId(id: string): number | undefined {
  const dash = id.indexOf("-");
  if (dash < 1 || id.length - dash - 1 !== ID_CHARACTERS) return undefined;
  let time = 0;
  for (let i = dash + 1; i <= dash + TIME_CHARACTERS; i++) {
    const digit = ALPHABET.indexOf(id[i] as string);
    if (digit < 0) return undefined;
    time = time * 32 + digit;
  }
  return time;
}

/** The characters of an id that are its time, and sort as it does; `undefined` where the text is no id. */
export function timeTextOf(id: string): string | undefined {
  const from = id.indexOf("-") + 1;
  return timeOfId(id) === undefined ? undefined : id.slice(from, from + TIME_CHARACTERS);
}

/** The same time and random part under another prefix: the execution `x-…` of the message `m-…`. */
export function siblingId(id: string, prefix: string): string {
  return prefix + id.slice(id.indexOf("-"));
}

/** Makes ids that grow: `random` gives a number in [0, 1). */
export function idMaker(random: () => number): (at: number) => string {
  let lastAt = -1;
  let timeText = "";
  let counter = 0;
  let high = -1;
  let highText = "";
  return (at) => {
    if (at !== lastAt) {
      lastAt = at;
      timeText = encode(at, TIME_CHARACTERS);
      // Half of the range is left for counting up within the millisecond.
      counter = Math.floor((random() * RANDOM_LIMIT) / 2);
    } else {
      counter++;
    }
    const low = counter % LOW_VALUES;
    if (counter - low !== high) {
      high = counter - low;
      highText = encode(high / LOW_VALUES, RANDOM_CHARACTERS - LOW_CHARACTERS);
    }
    return `m-${timeText}${highText}${LOW_TEXTS[low]}`;
  };
}

/** 6 of a nonce's 16 bytes, and their characters in base64url. */
const NONCE_TIME_CHARACTERS = 8;

/**
 * Makes nonces of 16 bytes in base64url: 48 bits of time first, so that rows named by them are stored together, then 80 random
 * bits. `random` gives 16 random bytes in base64url.
 */
export function nonceMaker(random: () => string): (at: number) => string {
  const bytes = Buffer.alloc(6);
  let lastAt = -1;
  let timeText = "";
  return (at) => {
    if (at !== lastAt) {
      lastAt = at;
      bytes.writeUIntBE(at, 0, 6);
      timeText = bytes.toString("base64url");
    }
    return timeText + random().slice(NONCE_TIME_CHARACTERS);
  };
}

/** Milliseconds since the epoch, by the clock of the node that drew it. */
export function timeOfNonce(nonce: string): number {
  return Number.parseInt(timeTextOfNonce(nonce), 16);
}

/** Those drawn within a millisecond have the same. */
let lastTime = "";
let lastTimeText = "";

/** The time in a nonce as text that sorts as it does. */
export function timeTextOfNonce(nonce: string): string {
  const time = nonce.slice(0, NONCE_TIME_CHARACTERS);
  if (time !== lastTime) {
    lastTime = time;
    lastTimeText = Buffer.from(time, "base64url").toString("hex");
  }
  return lastTimeText;
}
