// What is wrong with a value, for people (one line) and for programs (pointer and problem). Names and values in it are a
// caller's: quoted, escaped and short.

import { nearest, printable } from "@capstan/orchestrator";
import type { ErrorObject } from "ajv/dist/2020.js";
import { type Json, namesOf, pointerOf } from "./json-pointer.ts";
import { quote } from "./quote.ts";
import { shape } from "./shape.ts";

export interface Problem {
  /** JSON pointer into the value; what is missing or unknown is named by it too. */
  readonly path: string;
  /** `is required`, `must be string`. */
  readonly problem: string;
  /** Both in the words of the one-line message: `"name" is required`. */
  readonly line: string;
}

/** Problems that one value is answered with. */
export const MOST_PROBLEMS = 64;
/** Problems that the one-line message names. */
const MOST_TOLD = 8;
const LONGEST_PATH = 1_000;

/** `greet: "name" is required; unknown "nmae", did you mean "name"?`, and the same for programs. */
export function describeProblems(
  name: string,
  problems: readonly Problem[],
): { readonly message: string; readonly details: readonly { readonly path: string; readonly problem: string }[] } {
  const told = problems
    .slice(0, MOST_TOLD)
    .map((problem) => problem.line)
    .join("; ");
  const more = problems.length > MOST_TOLD ? `; and ${problems.length - MOST_TOLD} more` : "";
  return {
    message: `${printable(name)}: ${told}${more}`,
    details: problems.map(({ path, problem }) => ({ path, problem })),
  };
}

export function problemAt(path: string, problem: string): Problem {
  const line = path === "" ? problem : `${subject(path)} ${problem}`;
  return { path: path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path, problem, line };
}

/** ajv's errors (with `verbose`) as problems; `root` is the whole schema. */
export function problemsOf(errors: readonly ErrorObject[], root: Json): readonly Problem[] {
  const kept: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword === "anyOf" || error.keyword === "oneOf") foldUnion(error, kept);
    else if (error.keyword === "propertyNames" && kept.at(-1)?.propertyName !== undefined)
      continue; // already told
    else if (error.keyword === "if" && kept.length > 0) continue;
    else kept.push(error);
  }
  return kept.slice(0, MOST_PROBLEMS).map((error) => problemOf(error, root));
}

/**
 * The branches' own errors come right before a union's and contradict each other. They stay only where the value chose
 * its branch, by a constant such as `kind: "a"`.
 */
function foldUnion(union: ErrorObject, kept: ErrorObject[]): void {
  if (union.params.passingSchemas) {
    kept.push(union); // more than one branch fits: nothing was wrong inside
    return;
  }
  let start = kept.length;
  while (start > 0 && isInside(kept[start - 1] as ErrorObject, union)) start--;
  const inside = kept.splice(start);
  const branches: readonly Json[] = union.parentSchema?.[union.keyword] ?? [];
  const chosen = branches.flatMap((branch, index) => (isChosen(branch, union.data) ? [index] : []));
  const told =
    chosen.length === 1 ? inside.filter((e) => e.schemaPath.startsWith(`${union.schemaPath}/${chosen[0]}/`)) : [];
  kept.push(...(told.length > 0 ? told : [union]));
}

function isInside(error: ErrorObject, union: ErrorObject): boolean {
  const under = error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`);
  return under && error.parentSchema !== union.parentSchema;
}

function isChosen(branch: Json, data: unknown): boolean {
  if (
    typeof data !== "object" ||
    data === null ||
    typeof branch !== "object" ||
    branch === null ||
    Array.isArray(branch)
  )
    return false;
  const constants = Object.entries(branch.properties ?? {}).filter(([, inner]) => inner?.const !== undefined);
  return (
    constants.length > 0 &&
    constants.every(
      ([name, inner]) => Object.hasOwn(data, name) && (data as Record<string, unknown>)[name] === inner.const,
    )
  );
}

function problemOf(error: ErrorObject, root: Json): Problem {
  const { instancePath: path, keyword, params } = error;
  if (error.propertyName !== undefined)
    return problemAt(pointerOf(path, error.propertyName), `has a name that ${wording(error, root)}`);
  switch (keyword) {
    case "required":
      return problemAt(pointerOf(path, params.missingProperty), "is required");
    case "dependentRequired":
    case "dependencies":
      return problemAt(pointerOf(path, params.missingProperty), `is required together with ${quote(params.property)}`);
    case "additionalProperties":
      return unknownProblem(path, params.additionalProperty, error);
    case "unevaluatedProperties":
      return unknownProblem(path, params.unevaluatedProperty, error);
    default:
      return problemAt(path, wording(error, root));
  }
}

function unknownProblem(path: string, name: string, error: ErrorObject): Problem {
  const given = typeof error.data === "object" && error.data !== null ? error.data : {};
  // What is there already was not meant once more.
  const candidates = Object.keys(error.parentSchema?.properties ?? {}).filter(
    (candidate) => !Object.hasOwn(given, candidate),
  );
  const meant = nearest(name, candidates);
  const hint = meant === undefined ? "" : `, did you mean ${quote(meant)}?`;
  const place = pointerOf(path, name);
  return { ...problemAt(place, `is unknown${hint}`), line: `unknown ${subject(place)}${hint}` };
}

function wording({ keyword, params, schema, parentSchema, message }: ErrorObject, root: Json): string {
  switch (keyword) {
    case "type":
      return `must be ${[params.type].flat().join(" or ")}`;
    case "enum":
      return `must be one of ${shape({ enum: params.allowedValues }).replaceAll(" | ", ", ")}`;
    case "const":
      return `must be ${shape({ const: params.allowedValue })}`;
    case "anyOf":
    case "oneOf":
      if (params.passingSchemas) return "must fit exactly one of its alternatives, and fits more";
      return `must be ${shape({ [keyword]: parentSchema?.[keyword] ?? [] }, root)}`;
    case "not":
      return `must not be ${shape(schema, root)}`;
    case "pattern":
      return `must match ${quote(params.pattern)}`;
    case "false schema":
      return "is not allowed";
    default:
      return printable(message ?? `does not fit ${keyword}`);
  }
}

/** `"user.email"`: the names of a pointer, as people write them. */
function subject(path: string): string {
  return quote(namesOf(path.slice(0, LONGEST_PATH)).join("."));
}
