// A file as the rules see it: its text and, where it is code, its syntax tree. Parsing happens here and nowhere else;
// a rule never matches code with a regular expression, which would find it in comments and strings too.

import { type Comment, parseSync } from "oxc-parser";

/** Any node of the ESTree that oxc gives; rules narrow on `type`. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface SourceFile {
  /** Relative to the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** Code only; `undefined` for everything else. */
  readonly code: Code | undefined;
  /** Tests, type tests, what only they use (`*.fixture.ts`), and all that lives in the test workspace. */
  readonly isTest: boolean;
}

export interface Code {
  readonly nodes: readonly Node[];
  readonly comments: readonly Comment[];
  readonly syntaxErrors: readonly string[];
}

const CODE = /\.(ts|tsx|mts|mjs|js)$/;
const TEST = /\.(test|type-test|fixture)\.tsx?$/;

export function sourceFile(path: string, text: string): SourceFile {
  return {
    path,
    text,
    code: CODE.test(path) ? parse(path, text) : undefined,
    isTest: TEST.test(path) || path.startsWith("test/"),
  };
}

function parse(path: string, text: string): Code {
  const parsed = parseSync(path, text);
  const nodes: Node[] = [];
  collect(parsed.program, nodes);
  return { nodes, comments: parsed.comments, syntaxErrors: parsed.errors.map((error) => error.message) };
}

function collect(value: unknown, into: Node[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, into);
  } else if (typeof value === "object" && value !== null) {
    if (isNode(value)) into.push(value);
    for (const key in value) collect((value as Record<string, unknown>)[key], into);
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

/** The name of an identifier, or the text of a string literal; `undefined` for any other node. */
export function nameOf(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "Identifier") return value.name as string;
  if (value.type === "Literal" && typeof value.value === "string") return value.value;
  return undefined;
}

/** `a.b.c` of a member expression or an identifier; `undefined` where it is computed from something else. */
export function dottedName(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "Identifier") return value.name as string;
  if (value.type !== "MemberExpression" || (value.computed && nameOf(value.property) === undefined)) return undefined;
  const object = dottedName(value.object);
  return object === undefined ? undefined : `${object}.${nameOf(value.property)}`;
}

/** The line, from 1, of an offset into the text. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
