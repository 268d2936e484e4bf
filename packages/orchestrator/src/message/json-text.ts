// The JSON of data that was parsed a moment ago, made before it was frozen: of frozen lists JavaScriptCore makes JSON, and anything
// else, five times slower. Parsed, decided and recorded is a message within one turn, and its outcome with it.

/** A message, its outcome, and as many again that lead to each other. */
const KEPT = 4;
const values = new Array<unknown>(KEPT);
const texts = new Array<string>(KEPT);
let next = 0;

/** To be called before `value` is frozen. What is no JSON has no text. */
export function keepJson(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // Whoever parses it says why it cannot be kept.
  }
  if (text === undefined) return;
  values[next] = value;
  texts[next] = text;
  next = (next + 1) % KEPT;
}

/** `JSON.stringify`, of what can be kept in the log. */
export function jsonText(value: unknown): string {
  for (let i = 0; i < KEPT; i++) if (values[i] === value && value !== undefined) return texts[i] as string;
  return JSON.stringify(value);
}
