// The protocol `process`: a program of the machine's, with arguments, environment and directory that the configuration says. It
// runs as the node does; what it may do is what the machine lets that user do.

import { hash } from "node:crypto";
import { resolve } from "node:path";
import { FaultError, type Right } from "@capstan/orchestrator";
import { defineProtocol, type Protocol } from "../protocol.ts";
import { named } from "../task/compiled-task.ts";
import { commandOf } from "./command.ts";
import { endLeftovers } from "./family.ts";
import { findProgram, missingDirectory, PROGRAM_PATH } from "./find-program.ts";
import { outcomeOf, STDERR_READ_BYTES } from "./outcome.ts";
import { processFaults } from "./process-faults.ts";
import { type ProcessCall, processConfigSchema, validateProcess } from "./process-schema.ts";
import { type Run, start } from "./run.ts";

/** Where the protocol `process` looks programs up. */
export interface ProcessOptions {
  /** Directories that a program's name is looked up in. Default: those of the system. */
  readonly path?: readonly string[];
}

const STOP_MS = 5000;

/** What the runs of a node bear, from its start on; the same after each start on the same data. */
export function lifeOf(id: string, directory: string | undefined): string {
  return `${id}@${directory === undefined ? crypto.randomUUID() : hash("sha256", resolve(directory), "hex")}`;
}

/** The protocol `process`: an action is a program, run without a shell. */
export function process({ path = PROGRAM_PATH }: ProcessOptions = {}): Protocol {
  const runs = new Set<Run>();
  let node: string = crypto.randomUUID();

  return defineProtocol({
    name: "process",
    summary: "A program of the machine's.",
    faults: processFaults,
    configSchema: processConfigSchema,
    // Looked at again at each use: a program may be gone.
    validateConfig(configuration) {
      const flaw = validateProcess(configuration);
      if (flaw !== undefined) return flaw;
      const program = findProgram(configuration.argv[0] as string, path);
      return typeof program === "string" ? missingDirectory(configuration.cwd) : program;
    },
    rights: ({ argv }): readonly Right[] => [{ resource: "process", verb: "run", name: pathOf(argv[0] as string) }],
    async inspect({ argv, ...rest }) {
      return { configuration: { argv: [pathOf(argv[0] as string), ...argv.slice(1)], ...rest } };
    },
    async start({ id, directory }) {
      // Ids are as unique as whoever gives them makes them: two programs that embed a node may both leave theirs at the default. A data
      // directory is one node's at a time, so that whatever bears its mark is an earlier life's.
      node = lifeOf(id, directory);
      if (directory !== undefined) await endLeftovers(node);
    },
    async stop() {
      for (const run of runs) run.kill();
      const over = Promise.all([...runs].map((run) => run.over));
      // What waits for a device ends when that answers; the node does not wait for it.
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
    },
    async execute(call) {
      try {
        return await ran(call);
      } catch (thrown) {
        throw thrown instanceof FaultError ? new FaultError(named(call.task.name, thrown.toFault())) : thrown;
      }
    },
  });

  async function ran(call: ProcessCall): Promise<unknown> {
    const command = commandOf(call);
    const { configuration, signal, log } = call;
    const run = start(
      { ...command, argv: [pathOf(configuration.argv[0] as string), ...command.argv.slice(1)] },
      {
        id: `${node}/${crypto.randomUUID()}`,
        maxBytes: configuration.maxBytes,
        stderrBytes: STDERR_READ_BYTES,
        signal,
        log,
      },
    );
    runs.add(run);
    void run.over.finally(() => runs.delete(run));
    return outcomeOf(await run.outcome, call);
  }

  /** What is registered is an absolute path already. */
  function pathOf(program: string): string {
    if (program.includes("/")) return program;
    const found = findProgram(program, path);
    return typeof found === "string" ? found : program;
  }
}
