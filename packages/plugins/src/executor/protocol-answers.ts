// Answers queries about protocols: which there are, how each is configured, and whether a configuration works.

import {
  type Authority,
  type Envelope,
  FaultError,
  fault,
  nearest,
  printable,
  type Reader,
  type Right,
} from "@capstan/orchestrator";
import { redaction } from "./secret/redaction.ts";
import { configurationSchema } from "./secret/secret.ts";
import { unlessAborted } from "./secret/secret-sources.ts";
import { flawOf } from "./task/compiled-task.ts";
import { firstRefused, type RunningProtocols } from "./task/create-protocols.ts";
import { cleanly, resolved } from "./task/run-task.ts";

const TEST_DEADLINE_MS = 10_000;

export function protocolAnswers(known: RunningProtocols) {
  return {
    "protocol.list": () => ({
      items: known.list.map(({ name, summary }) => ({ name, ...(summary === undefined ? {} : { summary }) })),
    }),
    "protocol.describe": ({ message }: Envelope) => {
      const { name } = message.data as { name: string };
      const protocol = known.list.find((one) => one.name === name);
      if (protocol === undefined) throw new FaultError(unknown(name, known.names));
      const { summary, configSchema } = protocol;
      return { name, ...(summary === undefined ? {} : { summary }), configuration: configurationSchema(configSchema) };
    },
    "protocol.test": ({ message }: Envelope, _reader: Reader, authority: Authority) => {
      const { protocol, configuration } = message.data as { protocol: string; configuration?: unknown };
      return testConnection(known, protocol, configuration ?? {}, authority);
    },
  };
}

/** Tests a configuration that need not be registered, under the caller's rights. @throws FaultError */
async function testConnection(known: RunningProtocols, protocol: string, configuration: unknown, authority: Authority) {
  const name = "protocol.test";
  const found = known.compile({ name, protocol, configuration });
  const allows = (right: Right) => authority.allows(right);
  const refused = flawOf(name, found) ?? firstRefused(found.rights, allows, name);
  if (refused !== undefined) throw new FaultError(refused);
  const late = fault("DEADLINE_EXCEEDED", `${name}: ${protocol}: no answer within ${TEST_DEADLINE_MS} ms`);
  using deadline = abortAfter(TEST_DEADLINE_MS, new FaultError(late));
  const { configuration: put, clean } = await resolved(found, name, allows, deadline.signal, known.secrets);
  try {
    const flaw = await unlessAborted(found.protocol.testConnection?.(put, deadline.signal), deadline.signal);
    if (flaw !== undefined) throw new FaultError(flaw);
  } catch (thrown) {
    // The operator wants to read whatever their protocol throws.
    throw cleanly(thrown, name, clean ?? redaction(new Map()));
  }
  // A protocol without `testConnection` has only checked the configuration.
  return { ok: true, connected: found.protocol.testConnection !== undefined };
}

function abortAfter(ms: number, reason: unknown): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(reason), ms);
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

function unknown(name: string, names: readonly string[]) {
  const suggestion = nearest(name, names);
  const hint = suggestion === undefined ? `there are ${names.join(", ")}` : `did you mean "${suggestion}"?`;
  return fault("PROTOCOL_UNKNOWN", `no protocol "${printable(name)}"; ${hint}`);
}
