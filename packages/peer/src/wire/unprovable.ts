// What must not be in an offer, however it is spread over members that nobody knows: an offer is proved by its canonical form
// (RFC 8785), and that there is only for what every implementation reads alike. And it is a stranger's: it is kept until the
// proof, so that there is not much of it either, however it came.

/** Nothing that is offered is nested like this; a walk of the other side's making has to end. */
const DEPTH = 16;
/** Values, and characters of them and of their names. No frame has more of them than bytes (FRAME_BYTES.unproved). */
const MOST = 16_384;

/** `value`: an offer. `undefined`: nothing is wrong with it in this respect. */
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
    // Without a list of all names where there are many of them: that would be as large as it.
    if (Array.isArray(one) && one.length > MOST) return "is too large";
    for (const key of Object.keys(one)) {
      if (!key.isWellFormed()) return "has half a surrogate pair in it";
      // Objects of ours that come of it must have the prototype that they seem to have.
      if (key === "__proto__") return "has a member __proto__";
      if (!Array.isArray(one)) much += key.length;
      open.push([(one as Record<string, unknown>)[key], depth + 1]);
    }
  }
  return undefined;
}

/** Transports that carry more than JSON may bring anything. */
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
