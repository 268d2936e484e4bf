// How a name of the wire is written on a command line.

/** `deadLetter` → `dead-letter` */
export function wordOf(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
