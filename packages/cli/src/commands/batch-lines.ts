// The lines of a batch, read whole and checked whole before any is sent: NDJSON, a message each, `as` to name its answer.

import { FaultError, fault, nearest, printable } from "@capstan/orchestrator/remote";
import { parseJson } from "../input/json-input.ts";
import { referenceProblem, referencesIn } from "../remote/reference.ts";

export interface BatchLine {
  /** Counted from 1, blank lines included. */
  readonly line: number;
  readonly as: string | undefined;
  /** `action.perform` */
  readonly name: string;
  readonly data: unknown;
  readonly options: object | undefined;
}

const KEYS = ["as", "resource", "action", "data", "options"];

/** @throws FaultError BATCH_INVALID, naming the line */
export function batchLines(text: string): BatchLine[] {
  const lines: BatchLine[] = [];
  const named = new Map<string, number>();
  const all = text.split(/\r?\n/);
  const names = new Set(all.flatMap((line) => asOf(line) ?? []));
  all.forEach((source, at) => {
    const line = at + 1;
    if (source.trim() === "") return;
    const parsed = lineOf(line, source);
    for (const reference of referencesIn(parsed.data)) {
      const problem = referenceProblem(reference);
      if (problem !== undefined) throw invalid(line, `$from ${problem}`);
      if (named.has(reference.name)) continue;
      if (names.has(reference.name))
        throw invalid(line, `$from "${reference.name}" comes later; a line can use earlier ones only`);
      const suggestion = nearest(reference.name, named.keys());
      throw invalid(
        line,
        `$from "${reference.name}": no line is called so${suggestion === undefined ? "" : `, did you mean "${suggestion}"?`}`,
      );
    }
    if (parsed.as !== undefined) {
      const first = named.get(parsed.as);
      if (first !== undefined) throw invalid(line, `"as": line ${first} is called "${parsed.as}" already`);
      named.set(parsed.as, line);
    }
    lines.push(parsed);
  });
  if (lines.length === 0) throw new FaultError(fault("BATCH_INVALID", "the batch has no lines"));
  return lines;
}

function lineOf(line: number, source: string): BatchLine {
  let value: unknown;
  try {
    value = parseJson(source, "it");
  } catch (error) {
    throw invalid(line, (error as Error).message);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(line, "it is no JSON object");
  const { as, resource, action, data, options } = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(value)) {
    if (KEYS.includes(key)) continue;
    const suggestion = nearest(key, KEYS);
    throw invalid(
      line,
      `unknown "${key}"${suggestion === undefined ? `; there is ${KEYS.join(", ")}` : `, did you mean "${suggestion}"?`}`,
    );
  }
  if (typeof resource !== "string" || resource === "") throw invalid(line, '"resource" is required, a text');
  if (typeof action !== "string" || action === "") throw invalid(line, '"action" is required, a text');
  if (as !== undefined && (typeof as !== "string" || !/^[A-Za-z_][\w-]*$/.test(as))) {
    throw invalid(line, '"as" must be a name of letters, digits, _ and -');
  }
  if (options !== undefined && (typeof options !== "object" || options === null))
    throw invalid(line, '"options" must be an object');
  return { line, as, name: `${resource}.${action}`, data: data ?? {}, options: options as object | undefined };
}

/** A line's name, where it has one and the line can be read at all. */
function asOf(source: string): string | undefined {
  try {
    const { as } = JSON.parse(source) as { as?: unknown };
    return typeof as === "string" ? as : undefined;
  } catch {
    return undefined;
  }
}

function invalid(line: number, text: string): FaultError {
  return new FaultError(fault("BATCH_INVALID", `line ${line}: ${printable(text)}`));
}
