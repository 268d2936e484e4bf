// The fields of a message's data as flags: `--field value`, each read as its schema's type says.

import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import { Option } from "commander";
import { usageFault } from "../fault/thrown.ts";
import { duration } from "../input/duration.ts";
import { jsonInput } from "../input/json-input.ts";
import type { Io } from "../io.ts";
import { wordOf } from "../word-of.ts";

export interface Field {
  readonly name: string;
  /** `list`: of texts, by repeating the flag. `json`: anything else. */
  readonly kind: "text" | "number" | "boolean" | "list" | "json";
  readonly required: boolean;
  readonly choices: readonly string[] | undefined;
  readonly summary: string;
}

interface Schema {
  readonly type?: unknown;
  readonly enum?: unknown;
  readonly items?: Schema;
  readonly description?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

export function fieldsOf(schema: unknown): Field[] {
  const { properties, required = [] } = (schema ?? {}) as Schema;
  // What is no word cannot be a flag; it is said in JSON.
  const words = Object.entries(properties ?? {}).filter(([name]) => /^[A-Za-z]\w*$/.test(name));
  return words.map(([name, property]) => ({
    name,
    kind: kindOf(property),
    required: required.includes(name),
    choices: Array.isArray(property.enum) ? property.enum.map(String) : undefined,
    summary: typeof property.description === "string" ? property.description : "",
  }));
}

function kindOf({ type, items }: Schema): Field["kind"] {
  switch (type) {
    case "string":
      return "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return items?.type === "string" ? "list" : "json";
    default:
      return "json";
  }
}

/** `allowHosts` → `--allow-hosts` */
export function flagOf(name: string): string {
  return `--${wordOf(name)}`;
}

export function optionOf(field: Field): Option {
  const flag = flagOf(field.name);
  const summary = field.summary || summaries[field.kind];
  switch (field.kind) {
    case "boolean":
      return new Option(flag, summary);
    case "list":
      return new Option(`${flag} <text>`, summary).argParser((text: string, before: string[] = []) => [
        ...before,
        text,
      ]);
    case "number":
      if (MILLISECONDS.test(summary))
        return new Option(`${flag} <duration>`, summary).argParser((text: string) => duration(text, flag));
      return new Option(`${flag} <number>`, summary).argParser((text: string) => {
        const number = Number(text);
        if (text.trim() === "" || !Number.isFinite(number)) throw usageFault(`${flag}: "${text}" is no number`);
        return number;
      });
    case "text": {
      const option = new Option(`${flag} <text>`, summary);
      return field.choices === undefined ? option : option.choices([...field.choices]);
    }
    case "json":
      return new Option(`${flag} <json>`, summary);
    default:
      return field.kind satisfies never;
  }
}

/** Numbers that are durations say so; a flag takes them as all durations: `30s`, and plain milliseconds. */
const MILLISECONDS = /^milliseconds\b/;

const summaries: Readonly<Record<Field["kind"], string>> = {
  text: "",
  number: "",
  boolean: "",
  list: "may be given more than once",
  json: "JSON, @file, or - for standard input",
};

/**
 * The data that words and flags make: JSON words first, then flags over them; a bare word is the `subject`.
 * @throws FaultError JSON_INVALID, USAGE_INVALID
 */
export async function dataOf(
  io: Io,
  message: { readonly name: string; readonly fields: readonly Field[]; readonly subject: string | undefined },
  words: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const data: Record<string, unknown> = {};
  let subject: string | undefined;
  for (const word of words) {
    if (word.startsWith("{") || word === "-" || word.startsWith("@")) {
      const value = await jsonInput(io, word, `the data of ${message.name}`);
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new FaultError(fault("JSON_INVALID", `the data of ${message.name} is no JSON object`));
      }
      Object.assign(data, value);
    } else if (message.subject !== undefined && subject === undefined) {
      subject = word;
    } else {
      const flag = meant(word, message.fields, flags);
      const hint = flag === undefined ? "see its --help" : `did you mean ${flag} ${printable(word)}?`;
      throw usageFault(`${message.name} takes no "${printable(word)}"; ${hint}`);
    }
  }
  for (const field of message.fields) {
    const said = flags[attributeOf(field.name)];
    if (said === undefined) continue;
    const json = field.kind === "json" && typeof said === "string";
    data[field.name] = json ? await jsonInput(io, said, `${flagOf(field.name)} of ${message.name}`) : said;
  }
  if (subject !== undefined && message.subject !== undefined) data[message.subject] = subject;
  return data;
}

/** The flag of a word too many: of a file that is to carry something out, else of what is required and was not said. */
function meant(word: string, fields: readonly Field[], flags: Readonly<Record<string, unknown>>): string | undefined {
  if (/\.(?:ts|tsx|mts)$/.test(word) && !("module" in flags)) return "--module";
  if (/\.(?:js|mjs)$/.test(word) && !("script" in flags)) return "--script";
  const lacking = fields.find(({ name, required }) => required && flags[attributeOf(name)] === undefined);
  return lacking === undefined ? undefined : flagOf(lacking.name);
}

/** As commander names an option's value. */
function attributeOf(name: string): string {
  return flagOf(name)
    .slice(2)
    .replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
