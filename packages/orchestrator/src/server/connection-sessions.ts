// What connections know of the session that asks for them: its id, its end, and what their last challenge kept. What is kept is given
// once, and is gone with the session; nothing of it is ever sent.

import { FaultError, fault } from "../fault/fault.ts";
import type { ConnectionSession } from "../plugin/connection.ts";
import type { SessionBudget } from "../rpc/budget.ts";
import type { LiveSession } from "../scope/lives.ts";

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

  /** The session as a connection sees it, who is given what its last challenge kept: the next one finds nothing. */
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
    // Once: a session may ask for as many challenges as it likes.
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
