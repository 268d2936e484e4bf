// The protocol `module`: an action is a TypeScript file of the operator's, fully trusted. What is registered is its digest;
// what runs is what was registered, or nothing.

import { join } from "node:path";
import { type Fault, FaultError } from "@capstan/orchestrator";
import { z } from "zod";
import { type Call, defineProtocol, type Protocol, type PublicationInfo } from "../protocol.ts";
import { type ActionDefinition, isActionDefinition } from "./define-action.ts";
import type { SUPPLIED } from "./module-bundle.ts";
import { invalid } from "./module-file.ts";
import { createModuleLoader, type InspectedModule, type ModuleLoader, moduleChanged } from "./module-loader.ts";
import { changed } from "./source-files.ts";
import { supplyModules } from "./supply-modules.ts";

/** Where modules may lie. */
export interface ModuleOptions {
  /** Directories that modules lie in. Default: the working directory. */
  readonly directories?: readonly string[];
  /** Where bundles are kept. Default: `modules` in the data directory, else in the working directory's `.capstan`. */
  readonly cache?: string;
}

const configSchema = z.strictObject({
  /** Path of the file, absolute or from one of the directories. */
  module: z.string().min(1).max(4096),
});

type Configuration = z.output<typeof configSchema>;

/** The protocol `module`: an action is a TypeScript file, trusted like the node itself. */
export function module(options: ModuleOptions = {}): Protocol {
  const directories = options.directories ?? [process.cwd()];
  let loader: ModuleLoader | undefined;
  /** By digest: what was imported. */
  const loaded = new Map<string, InspectedModule>();

  function loaderIn(directory: string | undefined): ModuleLoader {
    loader ??= createModuleLoader({
      directories,
      cacheDir: options.cache ?? join(directory ?? join(process.cwd(), ".capstan"), "modules"),
    });
    return loader;
  }

  /** The module under the digest that was registered; loaded once, and again after a restart. */
  async function load({ module: path }: Configuration, digest: string): Promise<InspectedModule> {
    const known = loaded.get(digest);
    const current =
      known === undefined ? await loaderIn(undefined).inspectModule(path) : await loaderIn(undefined).refresh(known);
    if ("code" in current) throw new FaultError(current);
    if (current.digest !== digest) throw new FaultError(moduleChanged(path));
    loaded.set(digest, current);
    return current;
  }

  return defineProtocol({
    name: "module",
    summary: "A TypeScript file of the operator's, trusted like the node itself.",
    configSchema,
    async start(node) {
      loaderIn(node.directory);
      // Imported late: the last one is this package's own front door, which imports this file.
      supplyModules({
        zod: await import("zod"),
        "zod/v4": await import("zod/v4"),
        "@capstan/orchestrator": await import("@capstan/orchestrator"),
        "@capstan/orchestrator/client": await import("@capstan/orchestrator/client"),
        "@capstan/plugins": await import("../../index.ts"),
      } satisfies Readonly<Record<(typeof SUPPLIED)[number], object>>);
    },
    async inspect(configuration, node) {
      const { module: path } = configuration;
      const inspected = await loaderIn(node.directory).inspectModule(path);
      if ("code" in inspected) return inspected;
      loaded.set(inspected.digest, inspected);
      const { digest, idempotent, readOnly, may, inputSchema: input, outputSchema, definition } = inspected;
      const { timeout } = definition;
      return {
        ...{ digest, idempotent, readOnly, may, input },
        ...(outputSchema === undefined ? { receives: true } : { output: outputSchema }),
        ...(timeout === undefined ? {} : { timeout }),
      };
    },
    execute(call) {
      const digest = call.task.digest ?? "";
      const known = loaded.get(digest);
      // Looking at the files costs a microsecond a file, and is all that the usual case needs.
      if (known !== undefined && !changed(known.files)) return run(known, call);
      return load(call.configuration, digest).then((module) => run(module, call));
    },
  });
}

function run({ definition }: InspectedModule, call: Call): unknown {
  const { task, publication } = call;
  const input = definition.input.safeParse(call.input);
  if (!input.success) throw new FaultError(misfit("INPUT_INVALID", task.name, input.error));
  if (!isActionDefinition(definition)) {
    if (publication !== undefined)
      return definition.run(input.data, call as Call & { readonly publication: PublicationInfo });
    throw new FaultError(invalid(`${task.name}: its module is a receiver, which nobody can perform`));
  }
  const output = definition.run(input.data, call);
  return output instanceof Promise ? output.then((value) => parsed(value, definition)) : parsed(output, definition);

  // Refinements, defaults and transforms are zod's alone: a JSON Schema cannot say them.
  function parsed(value: unknown, { output }: ActionDefinition): unknown {
    const given = output.safeParse(value);
    if (!given.success) throw new FaultError(misfit("OUTPUT_INVALID", task.name, given.error));
    return given.data;
  }
}

function misfit(code: string, name: string, error: z.ZodError): Fault {
  const details = error.issues
    .slice(0, 64)
    .map(({ path, message }) => ({ path: `/${path.join("/")}`, problem: message.replace(/^Invalid input: /, "") }));
  const said = details
    .slice(0, 8)
    .map(({ path, problem }) => (path === "/" ? problem : `"${path.slice(1).replaceAll("/", ".")}": ${problem}`));
  return { code, message: `${name}: ${code === "OUTPUT_INVALID" ? "its output: " : ""}${said.join("; ")}`, details };
}
