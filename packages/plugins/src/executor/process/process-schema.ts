// How an action or receiver says which program it runs. There is no shell: each element is one argument, whatever is in it.

import { isAbsolute, normalize } from "node:path";
import { type Fault, fault } from "@capstan/orchestrator";
import { z } from "zod";
import { quote } from "../../registry/quote.ts";
import type { Call } from "../protocol.ts";
import { type Resolved, secretOr } from "../secret/secret.ts";
import { checkTemplates } from "../template/template.ts";

const MOST_BYTES = 16 * 1024 * 1024;
const DEFAULT_BYTES = 1024 * 1024;

const template = z.string().max(64 * 1024);

export const processConfigSchema = z.strictObject({
  /** The program, absolute or found on the fixed path when it is registered, and its arguments: templates. */
  argv: z.array(template).min(1).max(256),
  /** Absolute. */
  cwd: z.string().min(1).max(4096),
  /** All that the program's environment has, beside PATH where it is not said here. */
  env: z.record(z.string().max(256), secretOr(template)).default({}),
  /** The input as JSON, nothing, or a template's text. */
  stdin: z.union([z.enum(["json", "none"]), z.strictObject({ text: secretOr(template) })]).default("none"),
  stdout: z.enum(["text", "lines", "json"]).default("text"),
  /** What the output is: what it wrote to stdout, or `{ code, stdout, stderr }`. */
  answer: z.enum(["stdout", "result"]).default("stdout"),
  /** Exit codes that are a success. */
  expect: z.array(z.number().int().min(0).max(255)).min(1).max(256).default([0]),
  maxBytes: z.number().int().min(1).max(MOST_BYTES).default(DEFAULT_BYTES),
});

export type ProcessConfiguration = z.output<typeof processConfigSchema>;
export type ProcessCall = Call<Resolved<ProcessConfiguration>>;

/** Set by the protocol: how a run's processes are known. */
export const RUN_VARIABLE = "CAPSTAN_RUN";

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
// They make of a program another than the one that a grant names.
const LOADER = /^((LD|DYLD)_.*|GCONV_PATH)$/;

/** What the schema cannot say, and can be said without looking at the machine. */
export function validateProcess({ argv, cwd, env, stdin }: ProcessConfiguration): Fault | undefined {
  const program = argv[0] as string;
  if (program.includes("{{")) return invalid('"argv[0]" is the program, and can be no template');
  if (program.includes("/") ? !isPlainPath(program) : !/^[\w.+-]+$/.test(program) || /^\.+$/.test(program)) {
    return invalid(`"argv[0]": ${quote(program)} is neither a name nor an absolute path without "." and ".."`);
  }
  if (!isPlainPath(cwd) && cwd !== "/") {
    return invalid(`"cwd": ${quote(cwd)} is no absolute path without "." and ".."`);
  }
  for (const name of Object.keys(env)) {
    if (!VARIABLE.test(name)) return invalid(`"env": ${quote(name)} is no name of a variable`);
    if (name === RUN_VARIABLE) return invalid(`"env": ${name} is set by the protocol`);
    if (LOADER.test(name)) return invalid(`"env": ${name} would change which code the program is`);
  }
  const nul = argv.findIndex((one) => one.includes("\0"));
  if (nul !== -1) return invalid(`"argv[${nul}]" holds a NUL`);
  const text = typeof stdin === "object" ? stdin.text : undefined;
  return checkTemplates(argv, '"argv"') ?? checkTemplates(env, '"env"') ?? checkTemplates(text, '"stdin.text"');
}

function isPlainPath(path: string): boolean {
  return isAbsolute(path) && !path.includes("\0") && normalize(path) === path && !path.endsWith("/");
}

function invalid(problem: string): Fault {
  return fault("CONFIG_INVALID", problem);
}
