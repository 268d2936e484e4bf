// Where a command's words go: data to stdout, everything else to stderr, and as JSON where that was asked for. What a command
// forgot to escape is escaped here: nothing that a server says moves a terminal's cursor.

import { type Fault, FaultError } from "@capstan/orchestrator/remote";
import { faultText } from "../fault/fault-text.ts";
import type { Io } from "../io.ts";
import { jsonText, shown, shownLines } from "./shown.ts";

export class Printer {
  readonly #io: Io;
  /** `--json`: settled once the command line is read. */
  json = false;

  constructor(io: Io) {
    this.#io = io;
  }

  /** The answer: as JSON for programs, else as `text` says it; a text of its own ends its lines itself. */
  data(value: unknown, text?: () => string): void {
    const indent = !this.json && this.#io.terminal.stdout ? 2 : undefined;
    const said = this.json || text === undefined ? undefined : this.#said(text);
    this.#io.stdout(said === undefined ? `${jsonText(value, indent)}\n` : shownLines(said));
    // An empty list, to whoever sits in front of it: else it looks as if nothing had been asked.
    if (said === "" && this.#io.terminal.stderr) this.note("  none");
  }

  /** One of many answers: NDJSON, whoever reads it. */
  line(value: unknown): void {
    this.#io.stdout(`${jsonText(value)}\n`);
  }

  /** About the answer; not for programs. */
  note(text: string): void {
    if (!this.json) this.#io.stderr(`${shownLines(text)}\n`);
  }

  /** Something that a person should know, in either form. */
  warn(text: string): void {
    this.#io.stderr(this.json ? `${jsonText({ warning: text })}\n` : `warning: ${shown(text)}\n`);
  }

  fault(fault: Fault): void {
    this.#io.stderr(this.json ? `${jsonText(fault)}\n` : faultText(fault, this.#paint()));
  }

  /** The text that `make` makes of an answer; `undefined` where none is wanted, or none can be made of it, which was said then. */
  async presented(make: () => Promise<string | undefined>): Promise<string | undefined> {
    if (this.json) return undefined;
    try {
      return await make();
    } catch (thrown) {
      return this.#unpresentable(thrown);
    }
  }

  #said(text: () => string): string | undefined {
    try {
      return text();
    } catch (thrown) {
      return this.#unpresentable(thrown);
    }
  }

  /** What a server of another version, or of somebody else's, answers need not be what a text can be made of. */
  #unpresentable(thrown: unknown): undefined {
    if (thrown instanceof FaultError || this.#io.env.CAPSTAN_DEBUG) throw thrown;
    this.warn("the answer is not of the form that this capstan knows; it is shown as it came");
  }

  #paint(): (text: string) => string {
    const { env, terminal } = this.#io;
    const coloured = terminal.stderr && !env.NO_COLOR && env.TERM !== "dumb";
    return coloured ? (text) => `\u001b[31m${text}\u001b[39m` : (text) => text;
  }
}
