// How large a value is in a frame between nodes: a frame over the limit would end the session for all that share it (rpc/limits.ts).

/** UTF-16 code units of what a frame carries; around it are names, keys and paths. */
export const MOST_OF_A_FRAME = 4 * 1024 * 1024 - 16 * 1024;
/** What is smaller need not be made text to know that it is. */
const SMALL = 4096;
/** The longest that one code unit is in JSON (`\u0001`); a number, or what surrounds a part, is shorter than `PART`. */
const LONGEST_UNIT = 6;
const PART = 32;

/** A value's size in a frame; of what is small no less than that. */
export function sizeInFrame(value: unknown): number {
  const left = leftOf(value, SMALL);
  return left >= 0 ? SMALL - left : framedSize(value);
}

/** A value's size in a frame, where every array is wrapped in another (capnweb's protocol.md). */
export function framedSize(value: unknown): number {
  const size = JSON.stringify(value)?.length ?? 0;
  return size * 2 <= MOST_OF_A_FRAME ? size : size + 2 * arraysIn(value);
}

/** What is left of some room at least. */
function leftOf(value: unknown, room: number): number {
  let left = room - PART;
  if (typeof value === "string") return left - LONGEST_UNIT * value.length;
  if (typeof value !== "object" || value === null) return left;
  if (Array.isArray(value)) {
    for (const part of value) if (left >= 0) left = leftOf(part, left);
    return left;
  }
  for (const name in value) {
    if (left < 0) break;
    left = leftOf((value as Record<string, unknown>)[name], left - PART - LONGEST_UNIT * name.length);
  }
  return left;
}

function arraysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let found = Array.isArray(value) ? 1 : 0;
  for (const part of Array.isArray(value) ? value : Object.values(value)) found += arraysIn(part);
  return found;
}
