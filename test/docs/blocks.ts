// Fenced blocks of a Markdown page that are to be run. The info string says how:
//   ```ts run           a program: written to a file and run; it fails by throwing
//   ```sh run           a transcript: `$ command` and what it prints
//   ```ts file=greet.ts a file that the page's programs and commands find beside them (any language, with or without run)
//   ```text output      directly after a `ts run` block: what the program prints

export interface Block {
  /** The page, relative to the root. */
  readonly page: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly run: boolean;
  readonly output: boolean;
  readonly file: string | undefined;
  readonly text: string;
}

const OPENING = /^(\s*)(`{3,}|~{3,})\s*([^`]*)$/;

export function blocksOf(page: string, markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const opening = OPENING.exec(lines[at] as string);
    if (opening === null) continue;
    const [, indent = "", fence = "", info = ""] = opening;
    const from = at + 1;
    while (++at < lines.length && (lines[at] as string).trim() !== fence) {}
    if (at >= lines.length) throw new Error(`${page}:${from}: the block is not closed`);
    const text = lines.slice(from, at).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    const [language = "", ...words] = info.trim().split(/\s+/);
    blocks.push({
      page,
      line: from,
      language,
      run: words.includes("run"),
      output: words.includes("output"),
      file: words.find((word) => word.startsWith("file="))?.slice("file=".length),
      text: `${text.join("\n")}\n`,
    });
  }
  return blocks;
}
