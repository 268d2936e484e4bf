// Which actions there are. Registering decides on a name, a revision and schemas; what a protocol found out about the action
// beforehand comes as a fact. The plugins after it look actions up by the token `actions`.

import { authority, definePlugin, type Fault, next, type PluginContext, refuse } from "@capstan/orchestrator";
import { answerDescribe, answerList, answerSchemas } from "./answer.ts";
import { decideNeighbour, decideReach } from "./decide-reach.ts";
import { type Carrier, elsewhere, elsewhereTable, neighbourTable } from "./elsewhere.ts";
import { checkSchema } from "./json-schema.ts";
import {
  type ActionRow,
  actions,
  actionTable,
  INSPECTED,
  type Inspected,
  registryFaults,
  registryMessages,
} from "./schema.ts";
import { type AskedTask, taskOf, unsaidMay } from "./task-of.ts";
import { unknownAction } from "./unknown-action.ts";

type Described = AskedTask &
  Partial<Pick<ActionRow, "input" | "output" | "idempotent" | "readOnly">> & { readonly revision?: number };

/** The plugin that knows which actions there are. */
export function registry() {
  const carriers = new Map<string, Carrier>();
  return definePlugin({
    name: "registry",
    version: "1",
    needs: [authority],
    adds: [actions, elsewhere],
    gives: { actions: actionTable, elsewhere: { table: elsewhereTable, neighbours: neighbourTable, carriers } },
    messages: registryMessages,
    tables: [actionTable, elsewhereTable, neighbourTable],
    faults: registryFaults,
    decide(context) {
      const { message, state } = context;
      if (message.resource !== "action") return next();
      switch (message.action) {
        case "register":
        case "update":
          return write(context, message.action);
        case "remove": {
          const { name, revision } = message.data as Described;
          const found = find(context, name, revision);
          if ("code" in found) return refuse(found.code, found.message);
          const data = { name, revision: found.revision };
          return next({ data, state: state.remove(actionTable, name) });
        }
        case "reach":
          return decideReach(context);
        case "neighbour":
          return decideNeighbour(context);
        default:
          return next();
      }
    },
    answer: {
      "action.list": answerList,
      "action.describe": answerDescribe(carriers),
      "action.schemas": answerSchemas(carriers),
    },
  });
}

function write(context: PluginContext<readonly [typeof authority]>, verb: "register" | "update") {
  const { message, envelope, state } = context;
  const asked = message.data as Described;
  const before = state.get(actionTable, asked.name);
  if (verb === "register" && before !== undefined) {
    return refuse(
      "ACTION_EXISTS",
      `there is an action "${asked.name}" at revision ${before.revision}; use action.update`,
    );
  }
  if (verb === "update") {
    const current = find(context, asked.name, asked.revision);
    if ("code" in current) return refuse(current.code, current.message);
  }
  const inspected = (envelope.facts[INSPECTED] ?? {}) as Inspected | { readonly fault: Fault };
  if ("fault" in inspected)
    return refuse(inspected.fault.code, inspected.fault.message, { details: inspected.fault.details });
  const found = inspected as Inspected;
  const unsaid = unsaidMay(asked, found, before, envelope);
  if (unsaid !== undefined) return refuse(unsaid.code, unsaid.message, { details: unsaid.details });
  const row: ActionRow = {
    ...taskOf(asked, found, before, envelope),
    // What the protocol found out, unless the caller said otherwise.
    input: asked.input ?? found.input ?? before?.input ?? true,
    output: asked.output ?? found.output ?? before?.output ?? true,
    idempotent: asked.idempotent ?? found.idempotent ?? before?.idempotent ?? false,
    readOnly: asked.readOnly ?? found.readOnly ?? before?.readOnly ?? false,
  };
  for (const side of ["input", "output"] as const) {
    const flaw = checkSchema(row[side]);
    if (flaw !== undefined)
      return refuse(flaw.code, `${asked.name}: ${side}: ${flaw.message}`, { details: flaw.details });
  }
  const { name, revision, input, output } = row;
  const data = { name, revision, input, output };
  return next({ data, state: state.put(actionTable, name, row) });
}

function find(
  { state, needs }: PluginContext<readonly [typeof authority]>,
  name: string,
  revision: number | undefined,
): ActionRow | Fault {
  const row = state.get(actionTable, name);
  if (row === undefined)
    return unknownAction(
      name,
      // Only what the caller may know of is suggested.
      [...state.rows(actionTable)].map(([known]) => known).filter((known) => needs.authority.reads(known)),
    );
  if (revision !== undefined && revision !== row.revision) {
    return {
      code: "REVISION_CONFLICT",
      message: `"${name}" is at revision ${row.revision}, not ${revision}; read it again`,
    };
  }
  return row;
}
