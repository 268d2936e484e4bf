// What the doctor says of one thing: how it is, and what to do about it. Nothing that finds one changes anything.

export type State = "ok" | "warn" | "fail";

export interface Finding {
  /** `fail`: the node does not start, loses something, or tells it to others. `warn`: it will, or may. */
  readonly state: State;
  /** What was looked at: `disk`. */
  readonly about: string;
  readonly what: string;
  /** What to do; nothing where all is well. */
  readonly todo?: string;
}

/** The findings of one subject. */
export class Findings {
  readonly #about: string;
  readonly list: Finding[] = [];

  constructor(about: string) {
    this.#about = about;
  }

  ok(what: string): this {
    this.list.push({ state: "ok", about: this.#about, what });
    return this;
  }

  warn(what: string, todo: string): this {
    this.list.push({ state: "warn", about: this.#about, what, todo });
    return this;
  }

  fail(what: string, todo: string): this {
    this.list.push({ state: "fail", about: this.#about, what, todo });
    return this;
  }

  /** Of a fault, whose text may say itself what to do, behind a semicolon. */
  fault(message: string, otherwise: string): this {
    const [what = "", ...todo] = message.split("; ");
    return this.fail(what, todo.join("; ") || otherwise);
  }
}
