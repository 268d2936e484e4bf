// How a caller's text is shown to people: unable to move a terminal's cursor, to forge a line of a log, or to turn a line
// around. Every fault's text goes through it, so that no writer of one has to remember.

// Control, format (bidi, zero-width, tags), line and paragraph separators, lone surrogates.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Escapes what a terminal or a bidi algorithm would act on; cuts what is longer than `longest`. */
export function printable(text: string, longest = Number.POSITIVE_INFINITY): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(UNSAFE, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}
