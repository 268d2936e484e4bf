// Receivers: registered like actions, by name and revision, each a task for a protocol. They may have an input schema, and have no output.

import { type Fault, nearest, next, printable, refuse } from "@capstan/orchestrator";
import { checkSchema } from "../registry/json-schema.ts";
import { INSPECTED, type Inspected } from "../registry/schema.ts";
import { type AskedTask, keptMay, taskOf, unsaidMay } from "../registry/task-of.ts";
import type { Context } from "./context.ts";
import { type ReceiverRow, receiverTable } from "./schema.ts";

type Asked = AskedTask & { readonly revision?: number; readonly input?: unknown };

export function decideReceiver(context: Context) {
  const { message, state } = context;
  switch (message.action) {
    case "register":
    case "update":
      return write(context, message.action);
    case "remove": {
      const { name } = message.data as Asked;
      const row = state.get(receiverTable, name);
      if (row === undefined) return unknown(context, name);
      return next({ data: { name, revision: row.revision }, state: state.remove(receiverTable, name) });
    }
    default:
      return next();
  }
}

function write(context: Context, verb: "register" | "update") {
  const { message, envelope, state, needs } = context;
  const asked = message.data as Asked;
  const before = state.get(receiverTable, asked.name);
  if (verb === "register" && before !== undefined) {
    const text = `there is a receiver "${asked.name}" at revision ${before.revision}; use receiver.update`;
    return refuse("RECEIVER_EXISTS", text);
  }
  if (verb === "update") {
    if (before === undefined) return unknown(context, asked.name);
    if (asked.revision !== undefined && asked.revision !== before.revision) {
      const text = `"${asked.name}" is at revision ${before.revision}, not ${asked.revision}; read it again`;
      return refuse("REVISION_CONFLICT", text);
    }
  }
  const inspected = (envelope.facts[INSPECTED] ?? {}) as Inspected | { readonly fault: Fault };
  if ("fault" in inspected) return refused(inspected.fault);
  const { may: _may, ...rest } = inspected;
  const unsaid = unsaidMay(asked, rest, before, envelope);
  if (unsaid !== undefined) return refused(unsaid);
  // The module's own `may` does not count for a receiver: only what the registrant says.
  const task = taskOf({ ...asked, may: asked.may ?? keptMay(before) }, inspected, before, envelope);
  const input = asked.input ?? inspected.input ?? before?.input;
  const row: ReceiverRow = { ...task, ...(input === undefined || input === true ? {} : { input }) };
  const flaw = row.input === undefined ? undefined : checkSchema(row.input);
  if (flaw !== undefined) return refused({ ...flaw, message: `${row.name}: input: ${flaw.message}` });
  const unfit = needs.protocols.refused(row, needs.authority);
  if (unfit !== undefined) return refused(unfit);
  return next({ data: { name: row.name, revision: row.revision }, state: state.put(receiverTable, row.name, row) });
}

function refused({ code, message, details }: Fault) {
  return refuse(code, message, { details });
}

/** Suggests only names that the caller may read. */
export function unknown({ state, needs }: Pick<Context, "state" | "needs">, name: string) {
  const known = [...state.rows(receiverTable)].map(([one]) => one).filter((one) => needs.authority.reads(one));
  return refused(unknownReceiver(name, known));
}

export function unknownReceiver(name: string, known: readonly string[]): Fault {
  const suggestion = nearest(name, known);
  const hint = suggestion === undefined ? "receiver.list names all" : `did you mean "${suggestion}"?`;
  return { code: "RECEIVER_UNKNOWN", message: `there is no receiver "${printable(name)}"; ${hint}` };
}
