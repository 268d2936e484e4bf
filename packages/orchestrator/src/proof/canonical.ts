// Canonical texts of numbers, base64 and JSON: one text for each value. A value with two texts could be altered
// unnoticed, so any other text is refused: the functions return `undefined`.

/** The largest size, entry, epoch and time: 2^53 - 1. */
export const LARGEST = Number.MAX_SAFE_INTEGER;

/** A decimal number from 0 to 2^53 - 1, without a sign or leading zeros. */
export function readNumber(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const number = Number(text);
  return number <= LARGEST ? number : undefined;
}

/** Standard base64 (RFC 4648 §4): padded, no other characters, unused trailing bits zero. */
export function readBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

export function writeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/**
 * Canonical JSON, but for whitespace: no name twice, numbers as JavaScript writes them, no
 * needless escapes. `\uXXXX` in lower case may stand for any character from U+007F on, because some writers keep to ASCII.
 */
export function readJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  // JSON.stringify writes each value in one way. It escapes lone surrogates and `plain` does not, so these are refused.
  return JSON.stringify(value) === plain(text) ? value : undefined;
}

const STRING_OR_SPACE = /"[^"\\]*(?:\\.[^"\\]*)*"|[ \t\n\r]+/g;
const ESCAPE = /\\(?:u([0-9a-f]{4})|.)/g;

function plain(json: string): string {
  return json.replace(STRING_OR_SPACE, (token) => (token[0] === '"' ? token.replace(ESCAPE, unescaped) : ""));
}

function unescaped(written: string, hex: string | undefined): string {
  const unit = hex === undefined ? 0 : Number.parseInt(hex, 16);
  return unit >= 0x7f ? String.fromCharCode(unit) : written;
}
