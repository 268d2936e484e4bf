// What a message cannot do without, in the words that a person says it by: whoever leaves it out is told before anybody is asked.

import type { Command } from "../command.ts";
import type { Field } from "./fields.ts";
import type { Presentation } from "./presentation.ts";

export interface Required {
  /** The fields and options of which one says it. */
  readonly said: readonly string[];
  /** `<principal>`, `--allow <text>` */
  readonly term: string;
}

type Words = Pick<Presentation, "saidBy" | "hidden"> & { readonly subject: string | undefined };

/** The subject first; once every option is there. */
export function requiredOf(
  command: Command,
  fields: readonly Field[],
  { subject, saidBy = {}, hidden = [] }: Words,
): Required[] {
  const own = fields.filter(({ name, required }) => required && !Object.hasOwn(saidBy, name) && !hidden.includes(name));
  const all = [...own.map(({ name }) => [name, [name]] as const), ...Object.entries(saidBy)];
  const required = all.map(([field, by]) => ({
    said: [field, ...by],
    term: by.map((one) => (one === subject ? `<${one}>` : termOf(command, one))).join(" or "),
  }));
  return [...required.filter(isSubject), ...required.filter((one) => !isSubject(one))];
}

/** The terms of what was not said, each once. */
export function missingOf(required: readonly Required[], given: Readonly<Record<string, unknown>>): readonly string[] {
  const missing = required.filter(({ said }) => said.every((one) => given[one] === undefined));
  return [...new Set(missing.map(({ term }) => term))];
}

/** `capstan grant attenuate --allow TEXT` */
export function formOf(command: Command, required: readonly Required[]): string {
  const words = required.map(({ term }) => term.replace(/<([^>]+)>/g, (_, word: string) => word.toUpperCase()));
  return [command.path, ...words].join(" ");
}

function isSubject({ term }: Required): boolean {
  return term.startsWith("<");
}

function termOf(command: Command, name: string): string {
  return command.options.find((option) => option.attributeName() === name)?.flags ?? `'{"${name}": …}'`;
}
