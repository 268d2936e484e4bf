// What the demonstration prints: chapters, lines, and claims, each with whether it held. It counts the claims; nothing else
// decides how the demonstration ends.

const COLOURED = process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== "dumb";
/** Where figures end: lines fit a terminal of 80 columns, and one more word. */
const FIGURE_COLUMN = 84;

const paint = (code: number) => (text: string) => (COLOURED ? `\u001b[${code}m${text}\u001b[0m` : text);
const bold = paint(1);
const dim = paint(2);
const red = paint(31);
const green = paint(32);

export class Story {
  #chapters = 0;
  #claims = 0;
  #held = 0;
  readonly #begun = performance.now();

  title(text: string): void {
    console.log(`\n${bold(text)}`);
  }

  chapter(title: string): void {
    console.log(`\n${bold(`${++this.#chapters}  ${title}`)}`);
  }

  /** Something worth knowing that is not claimed: a figure of this machine, a text of the server's. */
  say(text: string): void {
    for (const line of text.split("\n")) console.log(dim(`     ${line}`));
  }

  /** A claim, and whether it holds; `found` is what was seen where it does not. */
  claim(text: string, holds: boolean, { figure = "", found }: { figure?: string; found?: unknown } = {}): void {
    this.#claims++;
    if (holds) this.#held++;
    const line = `${text.padEnd(FIGURE_COLUMN - 6 - figure.length)} ${figure}`.trimEnd();
    console.log(`   ${holds ? green("✓") : red("✗")} ${line}`);
    if (!holds && found !== undefined) console.log(red(`     found ${shown(found)}`));
  }

  /** A claim that two values are the same, all the way down. */
  same(text: string, actual: unknown, expected: unknown, figure?: string): void {
    const holds = Bun.deepEquals(actual, expected, true);
    const found = `${shown(actual)}, expected ${shown(expected)}`;
    this.claim(text, holds, { found, ...(figure === undefined ? {} : { figure }) });
  }

  /** The last line. Answers the exit code: 0 where every claim held. */
  end(): number {
    const seconds = ((performance.now() - this.#begun) / 1000).toFixed(1);
    const all = this.#held === this.#claims && this.#claims > 0;
    const sum = `${this.#held} of ${this.#claims} claims hold`;
    console.log(`\n${bold(all ? green(sum) : red(sum))}${dim(`, in ${seconds} s`)}`);
    return all ? 0 : 1;
  }
}

/** `1,234`. */
export function figure(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `3 of 3`. */
export function of(some: number, all: number): string {
  return `${figure(some)} of ${figure(all)}`;
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
