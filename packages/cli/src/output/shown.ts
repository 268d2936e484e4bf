// Text of somebody else's on a terminal: control, format and direction characters are escaped, so that data cannot move the
// cursor, hide itself, or pretend to be another line.

const DANGEROUS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** As text, whole. */
export function shown(text: string): string {
  return text.replace(DANGEROUS, escaped);
}

/** A name of another node's. Names here are ASCII, so that a letter which only looks like one of them is escaped as well. */
export function shownName(name: string): string {
  return name.replace(/[^ -~]/gu, escaped);
}

/** Text of several lines, whose line breaks are ours. What is of somebody else in it was made one line before. */
export function shownLines(text: string): string {
  return text.replace(DANGEROUS, (character) => (character === "\n" ? character : escaped(character)));
}

/** As JSON: still the same value to whoever parses it. */
export function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent) ?? "null";
  // Outside of strings JSON has line breaks and spaces only.
  return shownLines(text);
}

function escaped(character: string): string {
  let text = "";
  for (let i = 0; i < character.length; i++) text += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  return text;
}
