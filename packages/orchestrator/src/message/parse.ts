// Types are checked here, once, at the edge: a caller's data against the schema that the message's plugin declares.

import { z } from "zod";
import { FaultError } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { keepJson } from "./json-text.ts";
import { type CallOptions, type ForwardedOptions, isLong, LONGEST_TIMEOUT, partsOf } from "./message.ts";
import { nearest } from "./nearest.ts";

/** Names of things that callers make: segments of letters, digits and `._~-`, divided by `/`. */
export const nameSchema = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9][\w.~-]*(\/[A-Za-z0-9][\w.~-]*)*$/,
    "must be letters, digits and . _ ~ -, in segments divided by /",
  );

/** ECMA-262 §21.4.1.1: the latest time, in milliseconds, that a Date can hold and write as text. */
const LATEST = 8_640_000_000_000_000;

// Trace Context §3.2: version, trace id and parent id, neither of them all zeros, and flags.
export const traceparentSchema = z
  .string()
  .regex(/^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/, "must be a W3C traceparent");

const optionsSchema = z.strictObject({
  key: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, "must not hold control characters, nor half of a surrogate pair")
    .optional(),
  deadline: z.number().int().positive().max(LATEST).optional(),
  correlation: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, "must not hold control characters, nor half of a surrogate pair")
    .optional(),
  traceparent: traceparentSchema.optional(),
  wait: z.number().int().min(0).max(86_400_000).optional(),
});

/** Each node is a hop, and no message with more hops is decided (pipeline/follow-ups.ts, MOST_HOPS). */
const MOST_VIA = 16;
const MOST_HOPS_SAID = 255;

const forwardedSchema = optionsSchema.extend({
  timeout: z.number().int().min(0).max(LONGEST_TIMEOUT).optional(),
  via: z
    .array(z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "must be a node's id"))
    .max(MOST_VIA)
    .optional(),
  hops: z.number().int().min(0).max(MOST_HOPS_SAID).optional(),
  request: z
    .string()
    .regex(/^[\w-]{21}[AQgw]$/, "must be 16 bytes in base64url")
    .optional(),
});

export const messageSchema = z.strictObject({
  resource: z.string().max(64),
  action: z.string().max(64),
  data: z.unknown().optional(),
});

const NO_OPTIONS: CallOptions = Object.freeze({});
const REPORTING_INPUT = Object.freeze({ reportInput: true });
const MOST_PROBLEMS = 8;
/** Characters of a caller's own text that a fault repeats: a caller can send a megabyte of it. */
const LONGEST_SHOWN = 200;
/** Levels of nesting: deeper data would overflow the stack of whatever walks it. */
const DEEPEST = 100;

export function parseOptions(options: unknown): CallOptions {
  if (options === undefined || options === null) return NO_OPTIONS;
  return parse("options", optionsSchema, options);
}

/** The call options of a node that may forward. */
export function parseForwarded(options: unknown): ForwardedOptions {
  if (options === undefined || options === null) return NO_OPTIONS;
  return parse("options", forwardedSchema, options);
}

/**
 * The data as the schema gives it, frozen.
 * @param recorded the data goes into the log: its JSON is kept for that (json-text.ts)
 * @throws FaultError of `code`; its details have a path and a problem for each mistake
 */
export function parse<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  data: unknown,
  code = "MESSAGE_INVALID",
  recorded = false,
): z.output<Schema> {
  // Only with the input in its issues does zod tell a missing field from one of the wrong type.
  const result = schema.safeParse(data, REPORTING_INPUT);
  if (recorded && result.success) keepJson(result.data);
  const unfit = result.success ? freezeJson(result.data, DEEPEST) : undefined;
  if (result.success && unfit === undefined) return result.data;
  const problems = result.success
    ? [{ path: "data", problem: unfit as string }]
    : result.error.issues.flatMap((issue) => problemsOf(issue, schema));
  const said = problems
    .slice(0, MOST_PROBLEMS)
    .map(({ path, problem }) => (path === "" ? problem : `"${path}" ${problem}`));
  const rest = problems.length > MOST_PROBLEMS ? `; and ${problems.length - MOST_PROBLEMS} more` : "";
  throw new FaultError({
    code,
    message: `${what}: ${said.join("; ")}${rest}`,
    details: problems.slice(0, 100),
  });
}

/** Freezes plain data deeply, so that no plugin can alter what another sees; or answers why the log cannot keep it. */
function freezeJson(value: unknown, levels: number): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `holds ${value}, which JSON does not have`;
    case "object":
      break;
    default:
      return `holds a ${typeof value}, which JSON does not have`;
  }
  if (value === null) return undefined;
  if (levels === 0) return `is more than ${DEEPEST} levels deep`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) {
    return "holds an object that is no plain one";
  }
  if (Object.hasOwn(value, "__proto__")) return 'holds the key "__proto__", which is no key';
  for (const part of partsOf(value)) {
    const problem = freezeJson(part, levels - 1);
    if (problem !== undefined) return problem;
  }
  // Last, because the elements of a frozen array are read slowly.
  if (!isLong(value)) Object.freeze(value);
  return undefined;
}

interface Problem {
  readonly path: string;
  readonly problem: string;
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType): Problem[] {
  const path = issue.path.map((part) => printable(String(part), LONGEST_SHOWN)).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = fieldsAt(schema, issue.path);
    return issue.keys.map((key) => {
      const suggestion = nearest(key, known);
      const hint = suggestion === undefined ? "" : `, did you mean "${suggestion}"?`;
      return { path, problem: `unknown "${printable(key, LONGEST_SHOWN)}"${hint}` };
    });
  }
  if (issue.code === "invalid_type" && issue.input === undefined)
    return [{ path: path || "data", problem: "is required" }];
  return [{ path, problem: printable(misfit(issue), LONGEST_SHOWN) }];
}

/** The fields that an object at a path may have; none where the schema does not say. */
function fieldsAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const [first, ...rest] = path;
  switch (def.type) {
    case "object": {
      if (first === undefined) return Object.keys(def.shape);
      const field = Object.hasOwn(def.shape, first) ? def.shape[String(first)] : undefined;
      return field === undefined ? [] : fieldsAt(field, rest);
    }
    case "array":
      return first === undefined ? [] : fieldsAt(def.element, rest);
    case "record":
      return first === undefined ? [] : fieldsAt(def.valueType, rest);
    case "union":
      return def.options.flatMap((option) => fieldsAt(option, path));
    case "pipe":
      return fieldsAt(def.in, path);
    case "optional":
    case "nullable":
    case "default":
    case "readonly":
      return fieldsAt(def.innerType, path);
    default:
      return [];
  }
}

const COUNTED: Readonly<Record<string, string>> = { string: " characters", array: " elements" };

/** The problem in words that can follow the field's name, which zod's own messages cannot. */
function misfit(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${issue.expected === "int" ? "integer" : issue.expected}, not ${typeOf(issue.input)}`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
      return `must be ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${COUNTED[issue.origin] ?? ""}`;
    case "too_big":
      return `must be ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${COUNTED[issue.origin] ?? ""}`;
    default:
      return issue.message;
  }
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
}
