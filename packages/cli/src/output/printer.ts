// Where a command's words go: data to stdout, everything else to stderr, and as JSON where that was asked for.

import type { Fault } from "@capstan/orchestrator";
import { faultText } from "../fault/fault-text.ts";
import type { Io } from "../io.ts";
import { jsonText } from "./shown.ts";

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
    this.#io.stdout(this.json || text === undefined ? `${jsonText(value, indent)}\n` : text());
  }

  /** One of many answers: NDJSON, whoever reads it. */
  line(value: unknown): void {
    this.#io.stdout(`${jsonText(value)}\n`);
  }

  /** About the answer; not for programs. */
  note(text: string): void {
    if (!this.json) this.#io.stderr(`${text}\n`);
  }

  /** Something that a person should know, in either form. */
  warn(text: string): void {
    this.#io.stderr(this.json ? `${jsonText({ warning: text })}\n` : `warning: ${text}\n`);
  }

  fault(fault: Fault): void {
    this.#io.stderr(this.json ? `${jsonText(fault)}\n` : faultText(fault, this.#paint()));
  }

  #paint(): (text: string) => string {
    const { env, terminal } = this.#io;
    const coloured = terminal.stderr && !env.NO_COLOR && env.TERM !== "dumb";
    return coloured ? (text) => `\u001b[31m${text}\u001b[39m` : (text) => text;
  }
}
