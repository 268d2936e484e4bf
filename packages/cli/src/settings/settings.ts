// What is in force, and who said so: flags over environment (and .env) over a context over capstan.config.ts over defaults. The
// files are read only where nothing nearer says it: most commands never need them.

import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { DEFAULT_LISTEN, FaultError, fault, nearest, printable } from "@capstan/orchestrator/remote";
import { usageFault } from "../fault/thrown.ts";
import type { Io } from "../io.ts";
import { type ConfigFile, findConfigFile, keysIn, readConfigFile } from "./config-file.ts";
import { contextNamed, NO_CONTEXT, readContexts } from "./context-file.ts";
import type { Context } from "./context-schema.ts";
import { fileKeys, otherVariables, type Setting, type SettingName, settings } from "./setting.ts";

export type Source = "flag" | "environment" | ".env" | "context" | "file" | "default";

export interface Effective {
  /** As it was said; paths are absolute. */
  readonly value: string | boolean | readonly string[] | undefined;
  readonly source: Source;
  /** `--data`, `CAPSTAN_DATA`, the context's name, or the file's path. */
  readonly where?: string;
}

/** A context that counts. */
export interface ContextInForce extends Context {
  readonly name: string;
  /** It was asked for on the command line, and so wins over the environment. */
  readonly byFlag: boolean;
}

/** Of what a context says something, or keeps the environment from saying it. */
const IN_CONTEXT: ReadonlySet<SettingName> = new Set(["url", "token", "tokenFile", "ca", "serverPin"]);

export class Settings {
  readonly #io: Io;
  readonly #flags: Readonly<Record<string, unknown>>;
  readonly #dotEnv: Readonly<Record<string, string | undefined>>;
  #file: Promise<ConfigFile | undefined> | undefined;

  /** `flags`: as commander gives them, of the command and the program. */
  constructor(io: Io, flags: Readonly<Record<string, unknown>>) {
    this.#io = io;
    this.#flags = flags;
    this.#dotEnv = dotEnv(io.cwd);
  }

  /** The configuration file in force. */
  file(): Promise<ConfigFile | undefined> {
    this.#file ??= (async () => {
      const path = this.#filePath();
      return path === undefined ? undefined : await readConfigFile(path);
    })();
    return this.#file;
  }

  /** @throws FaultError CONFIG_FILE_INVALID where it is named and not there */
  #filePath(): string | undefined {
    const named = this.#said(settings.config);
    return findConfigFile(this.#io.cwd, named?.value as string | undefined);
  }

  /** Not where its text tells that it is not: what its plugins are is nothing to whoever asks. */
  #mayBeInFile(key: string): boolean {
    const path = this.#filePath();
    if (path === undefined) return false;
    const keys = keysIn(path);
    // What is no key at all is told of as it is loaded.
    return keys === undefined || keys.has(key) || [...keys].some((one) => !fileKeys.includes(one));
  }

  /**
   * The context in force. It is whole: whoever names a server otherwise gets nothing of it, its credential least of all; one in
   * use gives way to a data directory that is named, too. @throws FaultError CONTEXT_UNKNOWN, CONTEXTS_INVALID, USAGE_INVALID
   */
  async context(): Promise<ContextInForce | undefined> {
    const named = this.#said(settings.context);
    const url = this.#said(settings.url);
    const byFlag = named?.source === "flag";
    if (byFlag && url?.source === "flag") throw usageFault("--context and --url say the same twice; give one");
    if (named?.value === NO_CONTEXT || (!byFlag && url !== undefined)) return undefined;
    if (named === undefined && this.#said(settings.data) !== undefined) return undefined;
    const known = await readContexts(this.#io);
    const name = (named?.value as string | undefined) ?? known.current;
    if (name === undefined) return undefined;
    return { ...contextNamed(known, name, named?.where ?? "the one in use"), name, byFlag };
  }

  /** As if no context were in force: for what is about the data directory and its own server. */
  withoutContext(): Settings {
    return new Settings(this.#io, { ...this.#flags, context: NO_CONTEXT });
  }

  /** What the command line says, and nothing else. */
  flag(name: SettingName): string | undefined {
    const said = this.#said(settings[name]);
    return said?.source === "flag" ? (said.value as string) : undefined;
  }

  async get(name: SettingName): Promise<Effective> {
    const setting: Setting = settings[name];
    const said = this.#said(setting);
    const inContext = said?.source === "flag" ? undefined : await this.#inContext(name, said);
    if (inContext !== undefined) return inContext;
    if (said !== undefined) return said;
    if (name === "context") {
      const context = await this.context();
      if (context !== undefined) return { value: context.name, source: "context" };
    }
    if (setting.key !== undefined && this.#mayBeInFile(setting.key)) {
      const file = await this.file();
      const config = file?.config[setting.key as keyof ConfigFile["config"]];
      const value = (name === "otel" ? file?.config.otel?.endpoint : config) as Effective["value"];
      if (file !== undefined && value !== undefined) {
        return { value: absolute(setting, value, file.directory), source: "file", where: file.path };
      }
    }
    return { value: await this.#default(name), source: "default" };
  }

  async text(name: SettingName): Promise<string | undefined> {
    return (await this.get(name)).value as string | undefined;
  }

  /** What a context says, where it wins over what the environment says. */
  async #inContext(name: SettingName, said: Effective | undefined): Promise<Effective | undefined> {
    if (!IN_CONTEXT.has(name)) return undefined;
    const context = await this.context();
    if (context === undefined) return undefined;
    const where = context.name;
    if (name === "token") {
      // A variable's credential is for whom the variables name.
      return context.byFlag && context.tokenFile !== undefined ? { value: undefined, source: "default" } : undefined;
    }
    const value = context[name as keyof Context];
    if (value === undefined || (said !== undefined && name === "tokenFile" && !context.byFlag)) return undefined;
    return { value, source: "context", where };
  }

  /** What a flag or the environment says; the files and the defaults are not asked. */
  #said(setting: Setting): Effective | undefined {
    const flag = setting.option === undefined ? undefined : this.#flags[setting.option];
    const { cwd, env } = this.#io;
    if (flag !== undefined && setting.flag !== undefined) {
      return { value: absolute(setting, flag as string, cwd), source: "flag", where: setting.flag };
    }
    const inFile = this.#dotEnv[setting.variable];
    const text = env[setting.variable] ?? inFile;
    if (text === undefined || text === "") return undefined;
    // Bun has put .env into the environment already.
    const source = text === inFile ? ".env" : "environment";
    return { value: absolute(setting, parsed(setting, text), cwd), source, where: setting.variable };
  }

  async #default(name: SettingName): Promise<Effective["value"]> {
    switch (name) {
      case "config":
        return (await this.file())?.path;
      case "name":
        return hostname().replace(/[^\w.-]+/g, "-") || undefined;
      case "data":
        return join(this.#io.cwd, ".capstan");
      case "listen":
        return DEFAULT_LISTEN;
      case "modules":
        return [(await this.file())?.directory ?? this.#io.cwd];
      case "logLevel":
        return "info";
      case "memory":
      case "public":
        return false;
      case "allowHosts":
      case "allowOrigins":
      case "httpAllow":
      case "irohRelays":
        return [];
      case "iroh":
        return "off";
      default:
        return undefined;
    }
  }

  /** Variables that look like ours and are not, each with the one that was meant. */
  unknownVariables(): string[] {
    const known = [...Object.values(settings).map(({ variable }) => variable), ...otherVariables];
    const names = new Set([...Object.keys(this.#io.env), ...Object.keys(this.#dotEnv)]);
    return [...names]
      .filter((name) => name.startsWith("CAPSTAN_") && !known.includes(name as never))
      .map((name) => {
        const suggestion = nearest(name, known);
        return `${printable(name)} is no setting${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`;
      });
  }
}

/** `.env` of the working directory; nothing where there is none. */
export function dotEnv(cwd: string): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync(join(cwd, ".env"), "utf8"));
  } catch {
    return {};
  }
}

/** @throws FaultError CONFIG_UNKNOWN where a variable's text is no value of its setting */
function parsed(setting: Setting, text: string): string | boolean | readonly string[] {
  switch (setting.kind) {
    case "text":
      return text;
    case "list":
      return text
        .split(",")
        .map((one) => one.trim())
        .filter(Boolean);
    case "boolean":
      if (/^(1|true|yes|on)$/i.test(text)) return true;
      if (/^(0|false|no|off)$/i.test(text)) return false;
      throw new FaultError(
        fault("CONFIG_UNKNOWN", `${setting.variable}: "${printable(text)}" is neither true nor false`),
      );
    default:
      return setting.kind satisfies never;
  }
}

function absolute(setting: Setting, value: string | boolean | readonly string[], directory: string) {
  if (!setting.path || typeof value === "boolean") return value;
  return typeof value === "string" ? resolve(directory, value) : value.map((one) => resolve(directory, one));
}
