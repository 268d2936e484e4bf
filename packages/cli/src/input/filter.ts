// `data.customer.id=7`: a field of what is looked at, and what it has to be.

import { usageFault } from "../fault/thrown.ts";

export interface Filter {
  readonly path: readonly string[];
  readonly value: string;
}

/** @throws FaultError USAGE_INVALID */
export function filterOf(text: string): Filter {
  const at = text.indexOf("=");
  const path = text.slice(0, Math.max(0, at)).split(".");
  if (at < 1 || path.includes(""))
    throw usageFault(`--filter "${text}" is not PATH=VALUE; write one like data.customer=7`);
  return { path, value: text.slice(at + 1) };
}

/** The field is there, and is the value as a text or as JSON. */
export function passes({ path, value }: Filter, of: unknown): boolean {
  let found: unknown = of;
  for (const name of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return false;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return typeof found === "string"
    ? found === value || JSON.stringify(found) === value
    : JSON.stringify(found) === value;
}
