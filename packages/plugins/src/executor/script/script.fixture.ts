// A run of a script without an orchestrator: a call made by hand, and what its guest performed and logged.

import { FaultError, type Logger, type NodeInfo } from "@capstan/orchestrator";
import type { Call, PublicationInfo } from "../protocol.ts";
import { type ScriptOptions, script } from "./script.ts";

export interface RunOptions {
  readonly input?: unknown;
  readonly configuration?: object;
  readonly perform?: (name: string, input: unknown) => unknown;
  readonly publication?: PublicationInfo;
  readonly signal?: AbortSignal;
}

export const node: NodeInfo = { id: "n-test", name: "test", directory: undefined };

/** A protocol of its own, with a pool of its own. */
export function scripts(options: ScriptOptions = {}) {
  const protocol = script(options);
  const lines: string[] = [];
  const line =
    (level: string) =>
    (_fields: object, text: string): void => {
      lines.push(`${level}: ${text}`);
    };
  const log: Logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };

  return {
    protocol,
    lines,
    configuration(source: string, more: object = {}): unknown {
      const configuration = protocol.configSchema.parse({ source, ...more });
      const flaw = protocol.validateConfig?.(configuration);
      if (flaw !== undefined) throw new FaultError(flaw);
      return configuration;
    },
    async inspect(source: string) {
      return protocol.inspect?.(this.configuration(source), node);
    },
    async run(source: string, options: RunOptions = {}): Promise<unknown> {
      const { input, configuration, perform, publication, signal } = options;
      const call = {
        task: { name: "t", revision: 1, protocol: "script" },
        configuration: this.configuration(source, configuration),
        id: "x-1",
        key: "m-1",
        attempt: 1,
        input,
        publication,
        traceparent: undefined,
        signal: signal ?? new AbortController().signal,
        log,
        capstan: {
          apply: () => Promise.reject(new Error("not asked for")),
          perform: async (name: string, given: unknown) => ({ execution: "x-2", output: await perform?.(name, given) }),
        },
      } as unknown as Call;
      return protocol.execute(call);
    },
    stop: async () => protocol.stop?.(),
  };
}
