// The templates of one call, filled in. What is a secret in the configuration is taken as it is: braces in a secret are no
// template. What is filled in is bounded, because a template may name a large value many times.

import { type Fault, FaultError, fault } from "@capstan/orchestrator";
import type { Call } from "../protocol.ts";
import { isReference, type Placeholder, parseTemplate, type TemplatePart } from "./template.ts";

/** Characters of all that one call's templates put in. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

/** A placeholder's value as the text that stands in its place. @throws FaultError if it cannot stand there */
export type Encode = (text: string, name: string) => string;

export class Rendering {
  readonly #scope: Readonly<Record<string, unknown>>;
  #left = MOST_CHARACTERS;

  constructor({
    input,
    key,
    id,
    attempt,
    publication,
  }: Pick<Call, "input" | "key" | "id" | "attempt" | "publication">) {
    this.#scope = { input, key, id, attempt, publication };
  }

  /**
   * A text with its placeholders filled in by texts, numbers and booleans; `undefined` where it is one optional placeholder
   * without a value. `reference` is the same place of the configuration before secrets were put in.
   */
  text(text: string, reference?: unknown, encode: Encode = (value) => value): string | undefined {
    if (isReference(reference)) return text;
    const parts = partsOf(text);
    const only = parts[0];
    if (parts.length === 1 && typeof only === "object") {
      const value = this.#given(only);
      return value === undefined ? undefined : encode(this.#scalar(value, only), nameOf(only));
    }
    return parts.map((part) => (typeof part === "string" ? part : this.#encoded(part, encode))).join("");
  }

  /** Plain data with its texts filled in; a text that is one placeholder becomes its value, of whatever type that is. */
  value(value: unknown, reference?: unknown): unknown {
    if (typeof value === "string") {
      if (isReference(reference)) return value;
      const parts = partsOf(value);
      const only = parts[0];
      if (parts.length > 1 || typeof only === "string" || only === undefined) return this.text(value);
      const found = this.#value(only);
      this.#spend(typeof found === "object" ? JSON.stringify(found).length : String(found).length);
      return found;
    }
    if (Array.isArray(value)) {
      return value
        .map((inner, i) => this.value(inner, ownOf(reference, String(i))))
        .filter((inner) => inner !== undefined);
    }
    if (typeof value !== "object" || value === null) return value;
    const filled = Object.entries(value).map(
      ([key, inner]) => [key, this.value(inner, ownOf(reference, key))] as const,
    );
    return Object.fromEntries(filled.filter(([, inner]) => inner !== undefined));
  }

  #encoded(part: Placeholder, encode: Encode): string {
    const value = this.#given(part);
    return value === undefined ? "" : encode(this.#scalar(value, part), nameOf(part));
  }

  /** In a text, null is no value either. */
  #given(placeholder: Placeholder): unknown {
    const value = this.#value(placeholder);
    return value === null && placeholder.optional ? undefined : value;
  }

  #value(placeholder: Placeholder): unknown {
    let value: unknown = this.#scope;
    for (const segment of placeholder.path) value = ownOf(value, segment);
    if (value === undefined && !placeholder.optional) {
      throw new FaultError(
        fault("TEMPLATE_UNRESOLVED", `{{${nameOf(placeholder)}}} has no value; the input does not have it`),
      );
    }
    return value;
  }

  #scalar(value: unknown, placeholder: Placeholder): string {
    if (typeof value === "object") {
      const kind = value === null ? "null" : Array.isArray(value) ? "a list" : "an object";
      throw refusedValue(nameOf(placeholder), `is ${kind}; only a text, a number or a boolean can stand inside a text`);
    }
    const text = String(value);
    this.#spend(text.length);
    return text;
  }

  #spend(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) {
      const most = `the templates of one call may put in ${MOST_CHARACTERS} characters at most`;
      throw new FaultError(fault("TEMPLATE_VALUE_REFUSED", most));
    }
  }
}

/** For a value that cannot stand where it would be put. Never says the value itself. */
export function refusedValue(name: string, problem: string): FaultError {
  return new FaultError(fault("TEMPLATE_VALUE_REFUSED", `{{${name}}} ${problem}`) satisfies Fault);
}

/** What of an object or a list is its own; nothing of its prototype, and no length. */
export function ownOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value) && !/^\d+$/.test(key)) return undefined;
  return Object.hasOwn(value, key) ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

function nameOf({ path }: Placeholder): string {
  return path.join(".");
}

function partsOf(text: string): readonly TemplatePart[] {
  const parts = parseTemplate(text);
  // Registration has looked at it; this is for a protocol whose rules changed since.
  if ("problem" in parts) throw new FaultError(fault("CONFIG_INVALID", parts.problem));
  return parts;
}
