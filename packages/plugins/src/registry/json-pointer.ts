// JSON and JSON pointers (RFC 6901): how problems, and places in a schema, are named.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A pointer, longer by these names; `~` and `/` in a name are escaped. RFC 6901 §3. */
export function pointerOf(base: string, ...names: (string | number)[]): string {
  return names.reduce<string>((pointer, name) => `${pointer}/${escapeName(String(name))}`, base);
}

function escapeName(name: string): string {
  return name.includes("~") || name.includes("/") ? name.replaceAll("~", "~0").replaceAll("/", "~1") : name;
}

/** The names in a pointer, unescaped. RFC 6901 §4: `~1` before `~0`. */
export function namesOf(pointer: string): string[] {
  return pointer === ""
    ? []
    : pointer
        .slice(1)
        .split("/")
        .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}
