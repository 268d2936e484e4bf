// Refuses an offer that cannot be proved, also for its unknown members: the proof covers the offer's canonical form
// (RFC 8785), which exists only for JSON that every implementation reads alike. The offer is also bounded, because it comes from a stranger
// and is kept until the proof.

/** The deepest nesting; no valid offer is nested like this. */
const DEPTH = 16;
/** The most values plus characters of texts and names; a frame has no more of them than bytes (FRAME_BYTES.unproved). */
const MOST = 16_384;

/** Why an offer cannot be proved; `undefined` where it can. @param value the offer */
export function whyUnprovable(value: object): string | undefined {
  const open: (readonly [value: unknown, depth: number])[] = [[value, 1]];
  let much = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [one, depth] = next;
    const problem = whyNotJson(one);
    if (problem !== undefined) return problem;
    much += 1 + (typeof one === "string" ? one.length : 0);
    if (much > MOST) return "is too large";
    if (typeof one !== "object" || one === null) continue;
    if (depth > DEPTH) return `is nested more than ${DEPTH} levels deep`;
    // Checked before `Object.keys`, whose list would be as large as the array.
    if (Array.isArray(one) && one.length > MOST) return "is too large";
    for (const key of Object.keys(one)) {
      if (!key.isWellFormed()) return "has half a surrogate pair in it";
      // Copies of the object could otherwise get another prototype.
      if (key === "__proto__") return "has a member __proto__";
      if (!Array.isArray(one)) much += key.length;
      open.push([(one as Record<string, unknown>)[key], depth + 1]);
    }
  }
  return undefined;
}

/** A transport that carries more than JSON (RPC) may deliver any value. */
function whyNotJson(one: unknown): string | undefined {
  switch (typeof one) {
    case "string":
      return one.isWellFormed() ? undefined : "has half a surrogate pair in it";
    case "number":
      return Number.isFinite(one) ? undefined : "has a number in it that is too large";
    case "boolean":
      return undefined;
    case "object": {
      if (one === null || Array.isArray(one)) return undefined;
      const prototype: unknown = Object.getPrototypeOf(one);
      return prototype === Object.prototype || prototype === null ? undefined : "has something in it that is not JSON";
    }
    default:
      return "has something in it that is not JSON";
  }
}
