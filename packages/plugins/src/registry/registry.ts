// Which actions there are. Registering decides on a name, a revision and schemas; what a protocol found out about the action
// beforehand comes as a fact. The plugins after it look actions up by the token `actions`.

import { authority, definePlugin, type Fault, next, type PluginContext, refuse } from "@capstan/orchestrator";
import { narrow } from "../clause.ts";
import { answerDescribe, answerList } from "./answer.ts";
import { checkSchema } from "./json-schema.ts";
import {
  type ActionRow,
  actions,
  actionTable,
  defaults,
  INSPECTED,
  type Inspected,
  registryFaults,
  registryMessages,
} from "./schema.ts";
import { unknownAction } from "./unknown-action.ts";

const UNCHANGED = next({ adds: { actions: actionTable } });

type Described = Omit<Partial<ActionRow>, "revision"> & { readonly name: string; readonly revision?: number };

export function registry() {
  return definePlugin({
    name: "registry",
    version: "1",
    needs: [authority],
    adds: [actions],
    messages: registryMessages,
    tables: [actionTable],
    faults: registryFaults,
    decide(context) {
      const { message, state } = context;
      if (message.resource !== "action") return UNCHANGED;
      switch (message.action) {
        case "register":
        case "update":
          return write(context, message.action);
        case "remove": {
          const { name, revision } = message.data as Described;
          const found = find(context, name, revision);
          if ("code" in found) return refuse(found.code, found.message);
          const data = { name, revision: found.revision };
          return next({ data, state: state.remove(actionTable, name), adds: { actions: actionTable } });
        }
        default:
          return UNCHANGED;
      }
    },
    answer: { "action.list": answerList, "action.describe": answerDescribe },
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
  // A digest is of what was found just now, or of nothing; and what was found of another protocol's configuration is gone.
  const { digest: _digest, ...kept } = before ?? ({} as Partial<ActionRow>);
  const row: ActionRow = {
    ...{ input: true, output: true, idempotent: false, readOnly: false, may: [], ...defaults },
    ...kept,
    protocol: asked.protocol ?? before?.protocol ?? "module",
    // What the protocol found out, then what the caller said: whoever registers may be stricter than the code is, not wider.
    ...found,
    ...stated(asked),
    configuration: found.configuration ?? asked.configuration ?? kept.configuration ?? {},
    may: found.may === undefined ? (asked.may ?? kept.may ?? []) : narrow(found.may, asked.may),
    name: asked.name,
    revision: (before?.revision ?? 0) + 1,
    registrant: {
      principal: envelope.principal,
      grant: envelope.grant,
      ...(envelope.may === undefined ? {} : { may: envelope.may }),
    },
    at: envelope.at,
  };
  for (const side of ["input", "output"] as const) {
    const flaw = checkSchema(row[side]);
    if (flaw !== undefined)
      return refuse(flaw.code, `${asked.name}: ${side}: ${flaw.message}`, { details: flaw.details });
  }
  const { name, revision, input, output } = row;
  const data = { name, revision, input, output };
  return next({ data, state: state.put(actionTable, name, row), adds: { actions: actionTable } });
}

/** What the caller said, without what it left out. */
function stated({ name: _name, revision: _revision, ...rest }: Described): Partial<ActionRow> {
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
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
