// What storage needs to know of an entry's text: which blobs its lines name, and how a part is removed. Everything else is in entry.ts.

import type { Part } from "./part.ts";

/** A line that names a blob: an upper-case letter, 22 characters of salt, the name. */
const BLOB_LINE = /^[BFRT][\w-]{22}(sha256-[0-9a-f]{64})$/;

/** The blobs that the entry's parts name, one each part. */
export function blobsOf(text: string): readonly string[] {
  const names: string[] = [];
  for (let from = text.indexOf("\n") + 1; from > 0; ) {
    const end = text.indexOf("\n", from);
    const letter = text.charCodeAt(from);
    // An upper-case letter marks a part that is kept beside the entry: few lines are matched in full.
    if (letter < 0x61) {
      const name = BLOB_LINE.exec(end < 0 ? text.slice(from) : text.slice(from, end))?.[1];
      if (name !== undefined) names.push(name);
    }
    from = end + 1;
  }
  return names;
}

export interface Erased {
  /** The entry without the parts. */
  readonly text: string;
  /** The blobs that they named, one each part. */
  readonly blobs: readonly string[];
}

/** Takes the lines of these parts out of an entry; `undefined` where it has none of them. */
export function withoutParts(text: string, parts: readonly Part[]): Erased | undefined {
  const [header = "", ...lines] = text.split("\n");
  const goes = (line: string) => parts.some((part) => line[0] === part || line[0] === part.toUpperCase());
  const gone = lines.filter(goes);
  if (gone.length === 0) return undefined;
  return {
    text: [header, ...lines.filter((line) => !goes(line))].join("\n"),
    blobs: blobsOf(["", ...gone].join("\n")),
  };
}
