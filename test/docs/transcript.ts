// What a transcript says, and whether what happened is what it says. Ids, durations, loopback ports and `…` differ from run
// to run; an id that the page repeats must be the same one each time, and stands for the real one in later commands.

export interface Step {
  readonly command: string;
  /** Lines that it prints, as the page shows them. */
  readonly expected: readonly string[];
}

/** The page's ids → the run's. */
export type Ids = Map<string, string>;

// One letter, a dash, and something with a digit in it: m-01JB, n-7f3a, g-2; not x-ray.
const ID = /(?<![\w-])[a-z]-(?=[0-9A-Za-z]*\d)[0-9A-Za-z]+(?![\w-])/g;
const HEREDOC = /<<-?\s*(['"]?)(\w+)\1/;
const VARIES = new RegExp(
  `(?<any>…)|(?<id>${ID.source})|(?<port>(?<=(?:127\\.0\\.0\\.1|localhost|\\[::1\\]):)\\d+)|(?<time>\\d+(?:\\.\\d+)?(?= ?(?:µs|ms|s|min)\\b))`,
  "g",
);

export function steps(text: string): Step[] {
  const found: { command: string; expected: string[] }[] = [];
  const lines = text.replace(/\n$/, "").split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    if (!line.startsWith("$ ")) {
      if (found.length === 0 && line.trim() !== "")
        throw new Error(`a transcript starts with "$ command", not "${line}"`);
      found.at(-1)?.expected.push(line);
      continue;
    }
    let command = line.slice(2);
    while (command.endsWith("\\") && at + 1 < lines.length) command += `\n${lines[++at]}`;
    const end = HEREDOC.exec(command)?.[2];
    while (end !== undefined && at + 1 < lines.length) {
      command += `\n${lines[++at]}`;
      if (lines[at] === end) break;
    }
    found.push({ command, expected: [] });
  }
  return found.map(({ command, expected }) => ({ command, expected: trimmed(expected) }));
}

function trimmed(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.trimEnd())
    .join("\n")
    .replace(/^\n+|\n+$/g, "")
    .split("\n")
    .filter((_, at, all) => all.length > 1 || all[at] !== "");
}

/** The command with the page's ids replaced by the run's. */
export function withIds(command: string, ids: Ids): string {
  return command.replace(ID, (id) => ids.get(id) ?? id);
}

/** Whether the output is what the page shows; learns new ids into `ids` where it is. */
export function matches(expected: readonly string[], actual: string, ids: Ids): boolean {
  const learned: string[] = [];
  let pattern = "";
  for (const line of expected) {
    // A line that is only … stands for any number of lines, none included.
    pattern += line.trim() === "…" ? "(?:.*\\n)*?" : `${linePattern(line, ids, learned)}[ \\t]*\\n`;
  }
  const text = trimmed(actual.split("\n"))
    .map((line) => `${line}\n`)
    .join("");
  const match = new RegExp(`^${pattern}$`).exec(text);
  if (match === null) return false;
  learned.forEach((id, at) => {
    ids.set(id, match[at + 1] as string);
  });
  return true;
}

function linePattern(line: string, ids: Ids, learned: string[]): string {
  let pattern = "";
  let from = 0;
  for (const match of line.matchAll(VARIES)) {
    pattern += RegExp.escape(line.slice(from, match.index));
    from = match.index + match[0].length;
    const { any, id, port } = match.groups as Record<string, string | undefined>;
    if (any !== undefined) pattern += ".*";
    else if (id !== undefined) pattern += idPattern(id, ids, learned);
    else pattern += port !== undefined ? "\\d+" : "\\d+(?:\\.\\d+)?";
  }
  return pattern + RegExp.escape(line.slice(from));
}

function idPattern(id: string, ids: Ids, learned: string[]): string {
  const known = ids.get(id);
  if (known !== undefined) return RegExp.escape(known);
  const before = learned.indexOf(id);
  if (before >= 0) return `\\${before + 1}(?![0-9A-Za-z])`;
  learned.push(id);
  return `(${id.slice(0, 2)}[0-9A-Za-z]+)`;
}
