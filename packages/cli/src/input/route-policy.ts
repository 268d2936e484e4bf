// `--import` and `--export` of a peer: patterns of routes that pass, each said by a flag of its own, or a whole policy as JSON.

import type { Command } from "../command.ts";
import { usageFault } from "../fault/thrown.ts";
import type { Io } from "../io.ts";
import { jsonInput } from "./json-input.ts";

/** What filtered or accepted a route is shown by its clause's name. */
const CLAUSE = "command line";

/** As the node takes it, which checks it (`routePolicy`, docs/peering.md). */
type RoutePolicy = object;

export function addPolicyOptions(command: Command): void {
  const repeated = (text: string, before: string[] = []): string[] => [...before, text];
  const says = "may be given more than once; or a whole policy: JSON, @file, or -";
  command
    .option("--import <pattern>", `what comes in from it: action:greet, action:report.*, action:*; ${says}`, repeated)
    .option("--export <pattern>", `what goes out to it; ${says}`, repeated);
}

/**
 * Puts what the flags say into a call's data. Of what they do not say: what stands there, else `otherwise`.
 * @throws FaultError USAGE_INVALID, JSON_INVALID, FILE_UNREADABLE
 */
export async function putPolicies(
  io: Io,
  data: Record<string, unknown>,
  flags: Readonly<Record<string, unknown>>,
  otherwise?: RoutePolicy,
): Promise<void> {
  for (const flag of ["import", "export"] as const) {
    const said = await policyOf(io, flag, (flags[flag] ?? []) as readonly string[]);
    const policy = said ?? data[flag] ?? otherwise;
    if (policy !== undefined) data[flag] = policy;
  }
}

async function policyOf(io: Io, flag: string, texts: readonly string[]): Promise<unknown> {
  const [first] = texts;
  if (first === undefined) return undefined;
  if (texts.some(isWhole)) {
    if (texts.length > 1) throw usageFault(`--${flag}: a whole policy is all that it says; put the patterns into it`);
    return jsonInput(io, first, `--${flag}`);
  }
  for (const text of texts) {
    if (text !== "*" && !text.includes(":"))
      throw usageFault(`--${flag} "${text}" is no pattern of routes; an action's is action:${text || "NAME"}`);
  }
  return { clauses: [{ name: CLAUSE, then: "accept", match: { routes: [...new Set(texts)] } }] };
}

/** What whoever let nothing pass should know: it may be what they meant. */
export function nothingPasses(data: Readonly<Record<string, unknown>>): string | undefined {
  const passes = (flag: string): boolean => (data[flag] as { clauses?: readonly unknown[] }).clauses?.length !== 0;
  const said = [
    ...(passes("import") ? [] : ["nothing comes in (no --import)"]),
    ...(passes("export") ? [] : ["nothing goes out (no --export)"]),
  ];
  return said.length === 0 ? undefined : said.join(", ");
}

/** Patterns begin with a letter or are a star. */
function isWhole(text: string): boolean {
  return text.startsWith("{") || text.startsWith("@") || text === "-";
}

/** At a border nothing passes that nobody let pass (RFC 8212 §3). */
export const NOTHING: RoutePolicy = { clauses: [] };
