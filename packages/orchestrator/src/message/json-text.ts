// A small cache of the JSON of data, made before the data is frozen: JavaScriptCore reads frozen arrays five times slower. A message is
// parsed, decided and recorded within one turn of the event loop, so that the few latest are enough.

/** A message and its outcome, and another such pair that the first led to. */
const KEPT = 4;
const values = new Array<unknown>(KEPT);
const texts = new Array<string>(KEPT);
let next = 0;

/** Call it before `value` is frozen. A value that is no JSON is not kept. */
export function keepJson(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // The parser then refuses the value, and says why.
  }
  if (text === undefined) return;
  values[next] = value;
  texts[next] = text;
  next = (next + 1) % KEPT;
}

/** `JSON.stringify` for values that the log can keep; from the cache where it has the text. */
export function jsonText(value: unknown): string {
  for (let i = 0; i < KEPT; i++) if (values[i] === value && value !== undefined) return texts[i] as string;
  return JSON.stringify(value);
}
