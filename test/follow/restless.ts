// Calls of a node that is killed again and again: asked until they are answered, over a session that is opened anew where it was lost.

import type { NodeProcess, Session } from "../network/node-process.ts";

/** What a node that has just begun, or is about to end, may answer. */
const PAUSE_MS = 20;

export class Restless {
  readonly #site: NodeProcess;
  #session: Session | undefined;
  #closed = false;
  /** Calls that had to be made again. */
  again = 0;

  constructor(site: NodeProcess) {
    this.#site = site;
  }

  /** @param call what is asked must do no harm where it was done already */
  async ask<T>(call: (scope: Session["scope"]) => Promise<T>): Promise<T> {
    for (;;) {
      await this.#site.up;
      const session = this.#open();
      try {
        return await call(session.scope);
      } catch (thrown) {
        const { code, status } = thrown as { code?: string; status?: number };
        if (this.#closed || (code !== undefined && !isPassing(code, status))) throw thrown;
        this.again++;
        if (this.#session === session) this.#drop();
        await Bun.sleep(PAUSE_MS);
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #open(): Session {
    this.#session ??= this.#site.connect();
    return this.#session;
  }

  #drop(): void {
    this.#session?.close();
    this.#session = undefined;
  }
}

/** It says that it is not its time, or nobody answered: a system's own code. */
function isPassing(code: string, status: number | undefined): boolean {
  return status === 503 || ["STOPPING", "LOG_UNAVAILABLE", "UNREACHABLE"].includes(code) || /^E[A-Z]+$/.test(code);
}
