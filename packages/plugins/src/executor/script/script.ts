// The protocol `script`: JavaScript that nobody has to trust, in QuickJS, in a process of its own. It reaches what the node
// does for it: actions within the task's `may`, and files in the directories of its registration.

import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { type Fault, FaultError, fault, printable } from "@capstan/orchestrator";
import { type Call, defineProtocol, type Protocol } from "../protocol.ts";
import { directoryFlaw, GrantedFiles } from "./granted-files.ts";
import { SandboxPool } from "./sandbox-pool.ts";
import { type ScriptConfiguration, scriptFaults, scriptSchema } from "./schema.ts";
import type { Limits, Outcome, What } from "./script-messages.ts";
import { runScript } from "./script-run.ts";

/** How many scripts run at once, and how many may wait. */
export interface ScriptOptions {
  /** How many scripts compute at once. Default: as many as there are processors, two at least. */
  readonly slots?: number;
  /** How many processes there are at most; one that waits for what it performs keeps its own. Default: slots + 6. */
  readonly processes?: number;
  /** How many runs may wait for a turn. Default: 256. */
  readonly queue?: number;
}

/** For a registration, which is owed an answer. */
const MOST_WAIT_MS = 10_000;
/** What compiling may take: a source is 256 KiB at most. */
const COMPILING: Limits = { time: 500, memory: 64 * 1024 * 1024, output: 1024, depth: 256 * 1024 };

/** The protocol `script`: an action is JavaScript in a sandbox, for callers who are not trusted. */
export function script(options: ScriptOptions = {}): Protocol {
  const slots = options.slots ?? Math.max(2, availableParallelism());
  const pool = new SandboxPool({ slots, processes: options.processes ?? slots + 6, queue: options.queue ?? 256 });

  return defineProtocol({
    name: "script",
    summary: "JavaScript that need not be trusted, in QuickJS.",
    faults: scriptFaults,
    configSchema: scriptSchema,
    validateConfig: flawOf,
    rights: ({ files }) => [
      ...(files?.read ?? []).map((directory) => rightOf("read", directory)),
      ...(files?.write ?? []).map((directory) => rightOf("write", directory)),
    ],
    async inspect({ source }) {
      const flaw = await compiled(pool, source, AbortSignal.timeout(MOST_WAIT_MS));
      return flaw ?? { digest: `sha256-${createHash("sha256").update(source).digest("hex")}` };
    },
    testConnection: ({ source }, signal) => compiled(pool, source, signal),
    execute: (call) => execute(pool, call),
    stop: async () => pool.stop(),
  });
}

/** What is wrong with a source, in the sandbox and without running it; `undefined` where nothing is. */
async function compiled(pool: SandboxPool, source: string, signal: AbortSignal): Promise<Fault | undefined> {
  const job = { kind: "compile", source, limits: COMPILING } as const;
  try {
    const outcome = await runScript(pool, job, { signal, log() {}, do: nothing });
    return outcome.kind === "fault" ? notCompiled(outcome.fault) : undefined;
  } catch (thrown) {
    if (thrown instanceof FaultError) return thrown.toFault();
    return fault("SCRIPT_BUSY", "no process was free to compile it; try again later");
  }
}

async function execute(pool: SandboxPool, call: Call<ScriptConfiguration>): Promise<unknown> {
  const { configuration, input, id, key, attempt, publication, task } = call;
  const { source, files, ...limits } = configuration;
  const granted = files === undefined ? undefined : new GrantedFiles(files);
  const outcome = await runScript(
    pool,
    {
      kind: "run",
      source,
      ...(input === undefined ? {} : { input: JSON.stringify(input) }),
      given: { id, key, attempt, publication, files: granted !== undefined },
      limits,
    },
    {
      signal: call.signal,
      log: (level, text) => call.log[level]({ script: task.name }, printable(text)),
      do: (what, data) => done(what, data as Asked, call, granted),
    },
  );
  return outputOf(outcome, task.name);
}

interface Asked {
  readonly name: string;
  readonly input?: unknown;
  readonly path: string;
  readonly text: string;
}

async function done(what: What, asked: Asked, call: Call, files: GrantedFiles | undefined): Promise<unknown> {
  if (what === "perform") return call.capstan.perform(asked.name, asked.input);
  if (files === undefined) throw new FaultError(fault("FILE_REFUSED", "the registration names no directories"));
  switch (what) {
    case "readText":
      return files.readText(asked.path);
    case "writeText":
      return files.writeText(asked.path, asked.text);
    case "list":
      return files.list(asked.path);
    case "stat":
      return files.stat(asked.path);
    default:
      return what satisfies never;
  }
}

function outputOf(outcome: Outcome, name: string): unknown {
  if (outcome.kind === "output") {
    const value: unknown = outcome.text === undefined ? undefined : JSON.parse(outcome.text);
    if (!hasPrototypeKey(value)) return value;
    throw new FaultError(fault("OUTPUT_INVALID", `${name}: its output has the key "__proto__", which is no key`));
  }
  const { code, message, details } = outcome.fault;
  throw new FaultError(fault(code, `${name}: ${message}`, details));
}

/** No deeper than its guest's process lets it be. */
function hasPrototypeKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasPrototypeKey);
}

function flawOf({ files }: ScriptConfiguration): Fault | undefined {
  if (files === undefined) return undefined;
  if (process.platform !== "linux") return fault("CONFIG_INVALID", "files: scripts are given files on Linux alone");
  for (const verb of ["read", "write"] as const) {
    for (const [place, directory] of files[verb].entries()) {
      const flaw = directoryFlaw(directory);
      if (flaw !== undefined)
        return fault("CONFIG_INVALID", `files.${verb}[${place}]: "${printable(directory)}" ${flaw}`);
    }
  }
  return undefined;
}

function rightOf(verb: "read" | "write", directory: string) {
  return { resource: "file", verb, name: directory === "/" ? "/*" : `${directory}/*` };
}

function notCompiled({ code, message, details }: { code: string; message: string; details?: unknown }): Fault {
  return fault(
    "CONFIG_INVALID",
    code === "CONFIG_INVALID" ? message : `source: it does not compile: ${message}`,
    details,
  );
}

async function nothing(): Promise<never> {
  throw new FaultError(fault("ACTION_FAILED", "nothing runs while it is compiled"));
}
