// A strict JSON parser: like JSON.parse, but it refuses duplicate names in an object (RFC 8259 §4 leaves open which counts) and `__proto__`,
// and says where a mistake is. The depth is bounded, because it recurses.

import { type Fault, fault } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";

/** A little deeper than a message's data may be, so that the message's own check refuses it, with a better text. */
const DEEPEST = 128;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// A string's inside, up to its end or to what is wrong in it. The loop is linear: each character is taken by one branch only.
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/uy;
const LONGEST_SHOWN = 80;

export type Read = { readonly value: unknown } | { readonly fault: Fault };

/** @param what names the text in faults: `the body`, `"filter"` */
export function readStrictJson(text: string, what: string): Read {
  try {
    return { value: new Reader(text).document() };
  } catch (thrown) {
    if (!(thrown instanceof Malformed)) throw thrown;
    const before = text.slice(0, thrown.at);
    const line = before.split("\n").length;
    const column = thrown.at - before.lastIndexOf("\n");
    const place = `line ${line}, column ${column}`;
    return {
      fault: fault("REQUEST_MALFORMED", `${what} is no JSON that is taken: ${thrown.message} at ${place}`, {
        ...{ line, column, offset: thrown.at },
      }),
    };
  }
}

class Malformed extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value(DEEPEST);
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return value;
  }

  #value(levels: number): unknown {
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(levels);
      case "[":
        return this.#array(levels);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(levels: number): object {
    this.#deeper(levels);
    const object: Record<string, unknown> = {};
    this.#at++;
    this.#space();
    if (this.#take("}")) return object;
    for (;;) {
      this.#space();
      const at = this.#at;
      if (this.#text[at] !== '"') throw this.#unexpected("a name");
      const name = this.#string();
      const shown = `"${printable(name, LONGEST_SHOWN)}"`;
      if (name === "__proto__") throw new Malformed(at, `${shown}, which is no name`);
      if (Object.hasOwn(object, name)) throw new Malformed(at, `the name ${shown} a second time`);
      this.#space();
      if (!this.#take(":")) throw this.#unexpected('":"');
      object[name] = this.#value(levels - 1);
      this.#space();
      if (this.#take("}")) return object;
      if (!this.#take(",")) throw this.#unexpected('"," or "}"');
    }
  }

  #array(levels: number): unknown[] {
    this.#deeper(levels);
    const array: unknown[] = [];
    this.#at++;
    this.#space();
    if (this.#take("]")) return array;
    for (;;) {
      array.push(this.#value(levels - 1));
      this.#space();
      if (this.#take("]")) return array;
      if (!this.#take(",")) throw this.#unexpected('"," or "]"');
    }
  }

  #string(): string {
    const from = this.#at;
    STRING.lastIndex = from;
    const inside = (STRING.exec(this.#text) as RegExpExecArray)[0];
    this.#at = from + inside.length;
    if (!this.#take('"')) throw this.#unexpected(this.#text[this.#at] === "\\" ? "an escape" : "the end of a text");
    return inside.includes("\\") ? (JSON.parse(`${inside}"`) as string) : inside.slice(1);
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text);
    if (found === null) throw this.#unexpected("a value");
    this.#at += found[0].length;
    return Number(found[0]);
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected("a value");
    this.#at += word.length;
    return value;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #deeper(levels: number): void {
    if (levels === 0) throw new Malformed(this.#at, `more than ${DEEPEST} levels`);
  }

  #unexpected(expected: string): Malformed {
    const [found] = this.#text.slice(this.#at);
    const shown = found === undefined ? "the text ends" : `"${printable(found)}" stands`;
    return new Malformed(this.#at, `${shown} where ${expected} should be`);
  }
}
