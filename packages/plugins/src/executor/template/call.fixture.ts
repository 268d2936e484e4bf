// A protocol's call as the runner makes one, without the runner: for the tests of the protocols that stand here.

import { type Fault, FaultError, parse } from "@capstan/orchestrator";
import type { Call, Protocol } from "../protocol.ts";
import { withSecrets } from "../secret/secret.ts";

export interface CallOptions {
  readonly input?: unknown;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly traceparent?: string;
  readonly publication?: Call["publication"];
}

/** The configuration checked as at registration; its fault is thrown. */
export function callOf(protocol: Protocol, configuration: unknown, options: CallOptions = {}): Call {
  const registered = parse("it", protocol.configSchema, configuration, "CONFIG_INVALID");
  const flaw = protocol.validateConfig?.(registered);
  if (flaw !== undefined) throw new FaultError(flaw);
  const { input = {}, secrets = {}, signal = new AbortController().signal, traceparent, publication } = options;
  return {
    task: { name: "it", configuration: registered } as Call["task"],
    configuration: withSecrets(registered, (reference) => secrets[reference] ?? ""),
    id: "x-1",
    input,
    key: "k-1",
    attempt: 1,
    traceparent,
    publication,
    signal,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    capstan: undefined as unknown as Call["capstan"],
  };
}

export async function perform(protocol: Protocol, configuration: unknown, options?: CallOptions): Promise<unknown> {
  return protocol.execute(callOf(protocol, configuration, options));
}

/** The fault that it ends with. */
export async function faultFrom(work: () => unknown): Promise<Fault> {
  try {
    const given = await work();
    throw new Error(`it gave ${JSON.stringify(given)}`);
  } catch (thrown) {
    if (thrown instanceof FaultError) return thrown.toFault();
    throw thrown;
  }
}
