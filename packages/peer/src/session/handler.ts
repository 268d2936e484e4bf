// What a state's file exports: what it does with every input there is. The type is total, so that a cell of the table that
// nobody thought of does not compile.

import type { SessionContext } from "./context.ts";
import type { SessionEffect } from "./effect.ts";
import type { SessionInput, SessionInputType } from "./input.ts";
import type { Reason } from "./reason.ts";
import type { Session } from "./session.ts";

export interface Step {
  readonly session: Session;
  readonly effects: readonly SessionEffect[];
  readonly reason: Reason;
}

export type Handler<T extends SessionInputType> = (
  session: Session,
  input: Extract<SessionInput, { readonly type: T }>,
  context: SessionContext,
) => Step;

export type Handlers = { readonly [T in SessionInputType]: Handler<T> };
