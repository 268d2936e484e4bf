// Numbers as people read them: `12,345`.

export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** `1 entry`, `12,345 entries` */
export function entryCount(number: number): string {
  return `${count(number)} ${number === 1 ? "entry" : "entries"}`;
}
