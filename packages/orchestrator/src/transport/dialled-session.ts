// A session that this node opens with another one, as a client, but guarded like incoming sessions: the other side's calls of our callbacks
// are judged and counted against a budget, and what we send waits for the log.

import { RpcSession } from "capnweb";
import type { OpenedSession, RemoteApi } from "../client.ts";
import { FaultError, fault } from "../fault/fault.ts";
import type { DialOptions, Logger } from "../plugin/plugin.ts";
import { SessionBudget } from "../rpc/budget.ts";
import { onSendError } from "../rpc/errors.ts";
import type { Durability } from "../rpc/gate.ts";
import type { Timers } from "../time/timers.ts";
import type { DialledLink } from "./link.ts";
import { SessionTransport } from "./session-transport.ts";
import { webSocketDial } from "./web-socket/web-socket-dial.ts";

/** How long the other side has to take the connection. */
const OPEN_MS = 10_000;

export interface DialParts {
  readonly durability: Durability;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Resolves once it is open. @throws FaultError UNREACHABLE, and what the transport's own dial throws */
export async function dialSession(
  { url, webSocket, dial, limits }: DialOptions,
  { durability, timers, logger }: DialParts,
): Promise<OpenedSession> {
  const link = await inTime((dial ?? webSocketDial(webSocket))(url), url, timers);
  const budget = new SessionBudget(limits);
  // We dialled, so that the other side needs no credential for what we hand to it.
  budget.authenticating(Promise.resolve());
  budget.withNode();
  const transport = new SessionTransport(link, { budget, durability, timers });
  const report = (thrown: unknown): void => {
    const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    logger.error({ error, url }, "a callback failed");
  };
  const session = new RpcSession(transport, undefined, { onSendError: (error) => onSendError(error, report) });
  link.carry(transport);
  const api = session.getRemoteMain() as unknown as RemoteApi;
  return {
    api,
    onClose: (callback) => api.onRpcBroken(callback),
    close: () => api[Symbol.dispose](),
  };
}

/** Rejects after `OPEN_MS`; a link that comes later is closed. */
function inTime(dialled: Promise<DialledLink>, url: string, timers: Timers): Promise<DialledLink> {
  return new Promise((resolve, reject) => {
    let over = false;
    const stopTimer = timers.after(OPEN_MS, () => {
      over = true;
      const text = `${url} could not be reached: it did not answer within ${OPEN_MS / 1000} s`;
      reject(new FaultError(fault("UNREACHABLE", text)));
    });
    dialled.then(
      (link) => {
        stopTimer();
        if (over) link.terminate();
        else resolve(link);
      },
      (why) => {
        stopTimer();
        reject(why);
      },
    );
  });
}
