// What a connection may know of the asking session: its id, its end, and what the last challenge kept. That is handed out once, is dropped
// with the session, and is never sent.

import { FaultError, fault } from "../fault/fault.ts";
import type { ConnectionSession } from "../plugin/connection.ts";
import type { SessionBudget } from "../rpc/budget.ts";
import type { LiveSession } from "../scope/live-callbacks.ts";

export interface ConnectionSessionsParts {
  readonly lives: Pick<LiveSession, "lasting" | "onEnd">;
  readonly budget: Pick<SessionBudget, "end">;
}

export class ConnectionSessions {
  readonly #parts: ConnectionSessionsParts;
  readonly #kept = new Map<string, unknown>();
  #id: string | undefined;
  #listening = false;
  #over = false;

  constructor(parts: ConnectionSessionsParts) {
    this.#parts = parts;
  }

  /** The session as a connection sees it, with what its last challenge kept, which is then forgotten. */
  take(connection: string): ConnectionSession {
    const kept = this.#kept.get(connection);
    this.#kept.delete(connection);
    const { lives, budget } = this.#parts;
    this.#id ??= `session-${crypto.randomUUID()}`;
    return {
      id: this.#id,
      lasting: lives.lasting,
      kept,
      onEnd: (callback) => lives.onEnd(callback),
      end: (why) => budget.end(new FaultError(fault("CANCELLED", why))),
    };
  }

  /** For the verification that follows. */
  keep(connection: string, value: unknown): void {
    if (value === undefined) return;
    // Listens once, however many challenges the session asks for.
    if (!this.#listening) {
      this.#listening = true;
      this.#parts.lives.onEnd(() => {
        this.#over = true;
        this.#kept.clear();
      });
    }
    if (!this.#over) this.#kept.set(connection, value);
  }
}
