// What carries something out, as flags: a module, a script, an http endpoint, a program. The same for actions and receivers.

import { isAbsolute, relative, resolve, sep } from "node:path";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { usageFault } from "../fault/thrown.ts";
import { duration } from "../input/duration.ts";
import { fileText, inputText } from "../input/json-input.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";

/** What the fields of every task say of themselves. */
export const TASK_TEXTS = {
  configuration: "as its protocol takes it; JSON, @file, or - for standard input; a secret in it is a reference",
  may: "a clause of what its code may ask for, like action.perform:shout; may be given more than once",
  timeout: "milliseconds, or 30s, that one try may take",
  attempts: "how often it is tried at most",
  backoff: "milliseconds, or 5s, before the second try, twice as long before each further one",
};

/** Fields that options of `configureTask` say better. */
export const TASK_HIDDEN = ["transform", "breaker"];

export function configureTask(command: Command): void {
  configureCarrier(command);
  command
    .option("--transform-input <expr>", "JSONata: what is made of the input before; or @file")
    .option("--transform-output <expr>", "JSONata: what is made of the output; or @file")
    .option("--breaker <n,pause>", "after so many failures in a row it is not tried for a while: 5,30s");
}

/** What carries it out. */
export function configureCarrier(command: Command): void {
  command
    .option("--module <file>", "carried out by a TypeScript file, in the node itself")
    .option("--script <file>", "carried out by a JavaScript file, in a sandbox")
    .option("--http <url>", "carried out by a request: an address, or METHOD and address")
    .option(
      "--process",
      "carried out by a program: everything behind -- is its path and arguments; the input is on its standard input",
    );
}

/** `NAME --process -- /usr/bin/make all`: the first word is the name, whatever follows is the program's. */
export const splitProcess: NonNullable<Presentation["words"]> = (words, { process }) =>
  process === true ? { words: words.slice(0, 1), rest: words.slice(1) } : { words, rest: [] };

/** Puts what the flags say into the call's data. @throws FaultError USAGE_INVALID, FILE_UNREADABLE, and what finding the server does */
export async function addTask(cli: Cli, call: PresentedCall): Promise<void> {
  const { data } = call;
  const said = await saidConfiguration(cli, call);
  if (said !== undefined) {
    const { protocol, configuration, unlessSaid } = said;
    if (data.protocol !== undefined && data.protocol !== protocol)
      throw usageFault(`--${protocol} and --protocol say different things; leave --protocol out`);
    const given = (data.configuration ?? {}) as Readonly<Record<string, unknown>>;
    const twice = Object.keys(configuration).find((key) => Object.hasOwn(given, key));
    if (twice !== undefined)
      throw usageFault(`--${protocol} and "${twice}" in --configuration say the same twice; give one`);
    data.protocol = protocol;
    data.configuration = { ...unlessSaid, ...given, ...configuration };
  }
  const { transformInput, transformOutput, breaker } = call.flags;
  if (transformInput !== undefined || transformOutput !== undefined) {
    data.transform = {
      ...(data.transform as object | undefined),
      ...(await expression(cli, "input", transformInput)),
      ...(await expression(cli, "output", transformOutput)),
    };
  }
  if (typeof breaker === "string") data.breaker = breakerOf(breaker);
  // Last: what is wrong on the command line is told wherever no server runs.
  if (said?.protocol === "module") {
    const { modules } = await cli.target();
    data.configuration = {
      ...(data.configuration as object),
      module: serverPath(String(call.flags.module), cli.io.cwd, modules),
    };
  }
}

interface Said {
  readonly protocol: string;
  readonly configuration: Readonly<Record<string, unknown>>;
  /** What is most likely wanted, and may be said otherwise in --configuration. */
  readonly unlessSaid?: Readonly<Record<string, unknown>>;
}

async function saidConfiguration(cli: Cli, call: PresentedCall): Promise<Said | undefined> {
  const { flags, rest } = call;
  const { module, script, http, process } = flags as Readonly<Record<string, string | true | undefined>>;
  const said = Object.entries({ module, script, http, process }).filter(([, value]) => value !== undefined);
  if (said.length > 1) throw usageFault(`--${said[0]?.[0]} and --${said[1]?.[0]} say different things; give one`);
  if (typeof module === "string") return { protocol: "module", configuration: { module } };
  // The server need not see the file: its text is what is registered.
  if (typeof script === "string")
    return { protocol: "script", configuration: { source: await fileText(cli.io, script) } };
  if (typeof http === "string") {
    // What a receiver is handed goes somewhere.
    const unlessSaid = call.name.startsWith("receiver.") && !/\s/.test(http.trim()) ? { method: "POST" } : {};
    return { protocol: "http", configuration: requestOf(http), unlessSaid };
  }
  if (process !== true) {
    const named = ["protocol", "configuration"].some((field) => call.data[field] !== undefined);
    if (named || !call.name.endsWith(".register")) return undefined;
    throw usageFault(
      `${call.name.replace(".", " ")}: say what carries it out: --module FILE, --script FILE, --http URL, or --process -- PROGRAM`,
    );
  }
  if (rest.length === 0)
    throw usageFault("--process: the program is missing; write it last, behind --: … --process -- /usr/bin/env");
  return { protocol: "process", configuration: { argv: [...rest] }, unlessSaid: { cwd: cli.io.cwd, stdin: "json" } };
}

/** `POST https://shop.example/orders` */
function requestOf(text: string): { readonly method?: string; readonly url: string } {
  const [, method, url] = /^([A-Za-z]+)\s+(\S.*)$/.exec(text.trim()) ?? [];
  return method === undefined || url === undefined ? { url: text } : { method: method.toUpperCase(), url };
}

async function expression(cli: Cli, side: "input" | "output", said: unknown): Promise<object> {
  if (typeof said !== "string") return {};
  return { [side]: (await inputText(cli.io, said, `--transform-${side}`)).text.trim() };
}

function breakerOf(text: string): { readonly failures: number; readonly cooldown: number } {
  const [, failures, cooldown] = /^(\d{1,4}),(.+)$/.exec(text) ?? [];
  if (failures === undefined || cooldown === undefined)
    throw usageFault(`--breaker "${text}" is not FAILURES,COOLDOWN; write one like 5,30s`);
  return { failures: Number(failures), cooldown: duration(cooldown, "--breaker") };
}

/**
 * A file as the server knows it: relative to its modules directory where it lies in one, so that what is registered holds
 * when the directory moves; else as it was written.
 */
export function serverPath(file: string, cwd: string, directories: readonly string[]): string {
  const path = resolve(cwd, file);
  const below = directories
    .map((directory) => relative(directory, path))
    .find((one) => one !== "" && !isAbsolute(one) && one.split(sep)[0] !== "..");
  // Another directory that comes first may have a file of that name.
  return below !== undefined && directories.length === 1 ? `./${below}` : directories.length > 1 ? path : file;
}
