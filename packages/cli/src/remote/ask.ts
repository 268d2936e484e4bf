// Asking a server: all that is asked in one turn is one HTTP batch, one round trip; what may take its time goes over a
// WebSocket, which has no limit to how long an answer is waited for. Faults come back as values or are thrown as ours.

import {
  batch,
  type ConnectOptions,
  connect,
  type RemoteScope,
  type RemoteValue,
  remoteFault,
} from "@capstan/orchestrator/client";
import { irohDial, isIrohUrl } from "@capstan/orchestrator/iroh";
import { type Fault, FaultError, fault, pinnedDial, printable } from "@capstan/orchestrator/remote";
import type { Target } from "../settings/target.ts";
import { directly } from "../settings/this-machine.ts";
import { tlsOptions, tlsTo } from "../settings/trust.ts";

export type Answer = { readonly value: unknown } | { readonly fault: Fault };

/** Sends one message. Its fields may go into further ones before it has resolved. */
export type Send = (name: string, data?: unknown, options?: object) => RemoteValue;

/** What a caller wants of a round trip: the promises, all made in this turn. */
type Calls<T extends readonly PromiseLike<unknown>[]> = (send: Send) => T;
type Answers<T extends readonly PromiseLike<unknown>[]> = { [Index in keyof T]: Answer };

/** One HTTP batch; by iroh, which has no HTTP, a session. */
export async function askAll<const T extends readonly PromiseLike<unknown>[]>(
  target: Target,
  calls: Calls<T>,
): Promise<Answers<T>> {
  if (isIrohUrl(target.url)) return converse(target, calls);
  const { scope } = batch(asCli(target));
  return answersTo(target, calls(sendTo(scope)));
}

/** A session of its own, for calls that are waited for as long as they take. */
export async function converse<const T extends readonly PromiseLike<unknown>[]>(
  target: Target,
  calls: Calls<T>,
): Promise<Answers<T>> {
  const session = connect(asCli(target));
  try {
    return await answersTo(target, calls(sendTo(session.scope)));
  } finally {
    session.close();
  }
}

/** One message's answer. @throws FaultError */
export async function ask(target: Target, name: string, data?: unknown, options?: object): Promise<unknown> {
  const [answer] = await askAll(target, (send) => [send(name, data, options)]);
  return answered(answer);
}

/** @throws FaultError */
export function answered(answer: Answer): unknown {
  if ("fault" in answer) throw new FaultError(answer.fault);
  return answer.value;
}

function asCli({ url, token, trust }: Target): ConnectOptions {
  const as = { connectionFromCli: token };
  if (isIrohUrl(url)) return { url, as, dial: irohDial() };
  const direct = directly(url);
  const send = async (address: string, init: RequestInit): Promise<Response> =>
    fetch(address, { ...init, ...direct, ...(await tlsTo(address, trust)) } as RequestInit);
  if (trust === undefined) return { url, as, fetch: send };
  if ("pin" in trust) return { url, as, dial: pinnedDial(trust.pin), fetch: send };
  const tls = tlsOptions(trust);
  return { url, as, webSocket: (address) => new WebSocket(address, { tls } as never), fetch: send };
}

function sendTo(scope: RemoteScope): Send {
  return (name, data = {}, options) => {
    const dot = name.indexOf(".");
    const message = { resource: name.slice(0, dot), action: name.slice(dot + 1), data };
    return options === undefined ? scope.applyAction(message) : scope.applyAction(message, options);
  };
}

// All are listened to before the first is awaited: a batch sends what was asked for by then.
async function answersTo<T extends readonly PromiseLike<unknown>[]>(target: Target, promises: T): Promise<Answers<T>> {
  const answers = promises.map((promise) =>
    promise.then(
      (value): Answer => ({ value }),
      async (thrown): Promise<Answer> => ({ fault: await ourFault(target, thrown) }),
    ),
  );
  return (await Promise.all(answers)) as Answers<T>;
}

const START_IT = "start it with capstan serve, or name another with --url";
const PIN_REFUSED = "CERTIFICATE_PIN_REFUSED";
/** As a request tells of a certificate that does not hold. */
const UNTRUSTED = /self.signed|_CERT|CERT_|certificate|altname|UNABLE_TO_/i;

async function ourFault(target: Target, thrown: unknown): Promise<Fault> {
  const known = remoteFault(thrown);
  // A system's own code may look like one of ours.
  if (known.code === "CREDENTIAL_INVALID" && target.stopped !== undefined) {
    const what = `the node of ${target.stopped} does not run, and another one answers at ${printable(target.url)}`;
    return fault("UNREACHABLE", `${what}, which does not know its credential; ${START_IT}`);
  }
  const isOurs = known.code === PIN_REFUSED || (known.code !== "UNREACHABLE" && !UNTRUSTED.test(known.code));
  if (isOurs) return known;
  const untrusted = target.url.startsWith("https:") ? await untrustedReason(target) : undefined;
  if (untrusted !== undefined) {
    const hint = "--ca FILE names the certificate that it must come of";
    return fault("CERTIFICATE_REFUSED", `${printable(target.url)} is not known to be itself: ${untrusted}; ${hint}`);
  }
  const said = firstLine(known.message).replace(/[?.!]+$/, "");
  const why = /refused|unable to connect|connection failed/i.test(known.message) ? "" : `: ${said}`;
  if (target.stopped !== undefined) {
    const what = `the node of ${target.stopped} does not run, and nothing answers at ${printable(target.url)}`;
    return fault("UNREACHABLE", `${what}${why}; ${START_IT}`);
  }
  const hint = "start one with capstan serve, or name another with --url";
  return fault("UNREACHABLE", `no server answers at ${printable(target.url)}${why}; ${hint}`);
}

/** A WebSocket does not tell why it was not opened; a request does. */
async function untrustedReason({ url, trust }: Target): Promise<string | undefined> {
  try {
    const how = { ...directly(url), ...(await tlsTo(url, trust)) };
    await fetch(`${url}/healthz`, { redirect: "manual", signal: AbortSignal.timeout(PROBE_MS), ...how } as RequestInit);
    return undefined;
  } catch (error) {
    const { code = "", message = "" } = error as { code?: string; message?: string };
    if (!UNTRUSTED.test(`${code} ${message}`)) return undefined;
    return /ALTNAME/i.test(code) ? "its certificate is of another name" : firstLine(message || code);
  }
}

const PROBE_MS = 5000;

function firstLine(text: string): string {
  return printable(text.split("\n")[0] as string);
}
