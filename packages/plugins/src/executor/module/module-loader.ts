// An operator's TypeScript file as an action: bundled, digested, kept under its digest and imported from there. Modules
// are fully trusted code (DESIGN.md §5): importing one runs it, in this process.

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Fault, printable, systemTimers, type Timers } from "@capstan/orchestrator";
import { checkSchema, schemaOf } from "../../registry/json-schema.ts";
import { type ActionDefinition, isActionDefinition } from "./define-action.ts";
import { isReceiverDefinition, type ReceiverDefinition } from "./define-receiver.ts";
import { bundleModule, type ModuleBundle, shown } from "./module-bundle.ts";
import { invalid, realDirectories, resolveModule } from "./module-file.ts";
import { changed, type SourceFile } from "./source-files.ts";

/** What a module exports by default. */
export type ModuleDefinition = ActionDefinition | ReceiverDefinition;

export interface InspectedModule {
  /** Real path of the module's file. */
  readonly path: string;
  /** `sha256-<hex>` of what runs. */
  readonly digest: string;
  readonly definition: ModuleDefinition;
  readonly inputSchema: { readonly [key: string]: unknown };
  /** A receiver has none. */
  readonly outputSchema?: { readonly [key: string]: unknown };
  readonly idempotent: boolean;
  readonly readOnly: boolean;
  readonly may: readonly string[];
  /** For `changed`. */
  readonly files: readonly SourceFile[];
}

export interface ModuleLoaderOptions {
  /** The configured `modules` directories. */
  readonly directories: readonly string[];
  /** Where bundles are kept: `<digest>.mjs`. */
  readonly cacheDir: string;
  /** How long an import may take; code on its top level may wait for ever. Default 10,000 ms. */
  readonly importTimeout?: number;
  readonly timers?: Timers;
}

export interface ModuleLoader {
  /** Bundles and imports a module; MODULE_NOT_FOUND, MODULE_OUTSIDE or MODULE_INVALID where that fails. */
  inspectModule(path: string): Promise<InspectedModule | Fault>;
  /**
   * The module if it is what it was: `known` itself where no file was written, the same definition with new `files` where
   * they bundle to the same digest; else MODULE_CHANGED, and what changed is not imported. Calls at the same time share
   * one bundling.
   */
  refresh(known: InspectedModule): Promise<InspectedModule | Fault>;
}

export function createModuleLoader(options: ModuleLoaderOptions): ModuleLoader {
  const { directories, cacheDir, importTimeout = 10_000, timers = systemTimers } = options;
  /** Imports of a digest that failed: Bun keeps a failed import, so that trying again needs another address. */
  const failures = new Map<string, number>();
  const refreshing = new Map<string, Promise<InspectedModule | Fault>>();

  async function inspectModule(path: string): Promise<InspectedModule | Fault> {
    const file = resolveModule(path, directories);
    if (typeof file !== "string") return file;
    const roots = realDirectories(directories);
    const bundle = await bundleModule(file, roots);
    if ("code" in bundle) return bundle;
    const name = shown(file, roots);
    const kept = keep(bundle, cacheDir, name);
    if (typeof kept !== "string") return kept;
    const definition = await importDefinition(kept, bundle, name);
    return "code" in definition ? definition : inspected(file, name, bundle, definition);
  }

  async function rebundle(known: InspectedModule): Promise<InspectedModule | Fault> {
    const file = resolveModule(known.path, directories);
    if (typeof file !== "string") return file;
    const roots = realDirectories(directories);
    const bundle = await bundleModule(file, roots);
    if ("code" in bundle) return bundle;
    if (bundle.digest === known.digest) return { ...known, files: bundle.files };
    return moduleChanged(shown(known.path, roots));
  }

  async function importDefinition(kept: string, bundle: ModuleBundle, name: string): Promise<ModuleDefinition | Fault> {
    const failed = failures.get(bundle.digest) ?? 0;
    // By path: Bun 1.4.5 drops the query of a file: URL.
    const address = failed === 0 ? kept : `${kept}?attempt=${failed}`;
    const late = Promise.withResolvers<undefined>();
    const cancel = timers.after(importTimeout, () => late.resolve(undefined));
    try {
      const exports: { default?: unknown } | undefined = await Promise.race([import(address), late.promise]);
      if (exports !== undefined) return defaultDefinition(exports, name);
      failures.set(bundle.digest, failed + 1);
      return invalid(`${name} was not imported within ${importTimeout} ms; do not wait on its top level, but in run()`);
    } catch (thrown) {
      failures.set(bundle.digest, failed + 1);
      return invalid(`${name} throws when imported: ${thrownText(thrown, bundle)}`);
    } finally {
      cancel();
    }
  }

  return {
    inspectModule,
    refresh(known) {
      if (!changed(known.files)) return Promise.resolve(known);
      const key = `${known.digest} ${known.path}`;
      let running = refreshing.get(key);
      if (!running) {
        running = rebundle(known).finally(() => refreshing.delete(key));
        refreshing.set(key, running);
      }
      return running;
    },
  };
}

export function moduleChanged(name: string): Fault {
  return {
    code: "MODULE_CHANGED",
    message: `${name} is not what was registered; \`action.update\` takes it as it is now`,
  };
}

/** Writes the bundle under its digest: by a rename, so that nobody imports half of it, and again if it is there, so that a damaged one heals. */
function keep({ digest, text }: ModuleBundle, cacheDir: string, name: string): string | Fault {
  const kept = join(cacheDir, `${digest}.mjs`);
  const draft = join(cacheDir, `.${digest}.${process.pid}`);
  try {
    mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, kept);
    return kept;
  } catch (error) {
    return invalid(
      `${name} cannot be kept in ${printable(cacheDir)}: ${printable((error as Error).message)}; make it writable`,
    );
  }
}

function defaultDefinition(exports: { readonly default?: unknown }, name: string): ModuleDefinition | Fault {
  if (isActionDefinition(exports.default) || isReceiverDefinition(exports.default)) return exports.default;
  const has = exports.default === undefined ? "has no default export" : "exports something else by default";
  return invalid(`${name} ${has}; write \`export default defineAction({ input, output, run })\`, or defineReceiver`);
}

function inspected(
  path: string,
  name: string,
  { digest, files }: ModuleBundle,
  definition: ModuleDefinition,
): InspectedModule | Fault {
  try {
    const inputSchema = schemaOf(definition.input, "input");
    const outputSchema = isActionDefinition(definition) ? schemaOf(definition.output, "output") : undefined;
    for (const [side, schema] of [
      ["input", inputSchema],
      ["output", outputSchema],
    ] as const) {
      const fault = schema === undefined ? undefined : checkSchema(schema);
      if (fault) return invalid(`${name}: of its ${side}, ${fault.message}`);
    }
    const { may } = definition;
    const { idempotent, readOnly } = isActionDefinition(definition)
      ? definition
      : { idempotent: false, readOnly: false };
    const common = { path, digest, definition, inputSchema, idempotent, readOnly, may, files };
    return outputSchema === undefined ? common : { ...common, outputSchema };
  } catch (error) {
    return invalid(`${name}: ${printable((error as Error).message)}`);
  }
}

/** `Error: no such table (in db.ts)`: one line, and the file whose part of the bundle threw. */
function thrownText(thrown: unknown, { text, digest }: ModuleBundle): string {
  if (!(thrown instanceof Error)) return "something that is no Error";
  const line = Number(new RegExp(`${digest}\\.mjs[^:]*:(\\d+)`).exec(thrown.stack ?? "")?.[1] ?? 0);
  const head = text
    .split("\n")
    .slice(0, line)
    .findLast((part) => /^\/\/ \S+\.[a-z]+$/.test(part));
  const message = String(thrown.message).split("\n")[0]?.slice(0, 300);
  return printable(`${thrown.name}: ${message}${head === undefined ? "" : ` (in ${head.slice(3)})`}`);
}
