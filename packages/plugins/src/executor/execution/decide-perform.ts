// Performing: an action's name becomes an execution, owed as an effect. Whether the input fits is decided here; running it is invoke.ts's.
// Pure.

import { JOINS, next, printable, refuse, siblingId } from "@capstan/orchestrator";
import { type Addressed, type Course, destinationOf } from "../../registry/destination.ts";
import { compileSchema, describeProblems, shape } from "../../registry/json-schema.ts";
import type { ActionRow } from "../../registry/schema.ts";
import { unknownAction } from "../../registry/unknown-action.ts";
import type { Context } from "../context.ts";
import { performElsewhere } from "../elsewhere/perform-elsewhere.ts";
import { invocation } from "../invocation.ts";
import { type ExecutionRow, executionTable } from "../schema.ts";
import { firstTry } from "../tries.ts";

interface Asked extends Addressed {
  readonly input?: unknown;
  readonly publication?: "with" | "only" | "none";
}

export function perform(context: Context) {
  const { message, envelope, state, needs } = context;
  // What joins another of its request was decided with that one.
  if (JOINS in envelope.facts) return next();
  const asked = message.data as Asked;
  const { name, input, publication } = asked;
  const action = state.get(needs.actions, name);
  const where = destinationOf(asked, envelope, action !== undefined, state);
  if (where !== "here" && where !== undefined) {
    if ("unreachable" in where) return refuse("ACTION_UNREACHABLE", where.unreachable);
    return performAway(context, where);
  }
  if (action === undefined) return refuseUnknown(context, name);
  const misfit = refuseUnfit(action, input);
  if (misfit !== undefined) return misfit;
  const execution = siblingId(envelope.id, "x");
  const row: ExecutionRow = {
    ...firstTry(envelope, name, action.revision, publication),
    ...(action.attempts > 1 ? { ifSpent: { attempts: action.attempts, grant: envelope.grant } } : {}),
    ...(envelope.request === undefined ? {} : { requested: true as const }),
  };
  return next({
    data: { execution },
    pending: true,
    once: envelope.request === undefined ? undefined : true,
    state: state.put(executionTable, execution, row),
    effects: [invocation(execution, row, action, envelope, undefined)],
  });
}

/** A function of its own: most are performed here, and make no scope for `nonce`. */
function performAway(context: Context, where: Course) {
  return performElsewhere(context.envelope, context.state, where, () => context.nonce);
}

export function refuseUnfit(action: ActionRow, input: unknown) {
  const problems = compileSchema(action.input)(input);
  if (problems.length === 0) return undefined;
  const { message, details } = describeProblems(action.name, problems);
  const missing = `${printable(action.name)}: there is no input; it takes ${printable(shape(action.input))}`;
  return refuse("INPUT_INVALID", input === undefined ? missing : message, { details });
}

/** Suggests only what the caller may know of. */
export function refuseUnknown({ state, needs }: Context, name: string) {
  const known = [...state.rows(needs.actions)].map(([one]) => one).filter((one) => needs.authority.reads(one));
  const { code, message } = unknownAction(name, known);
  return refuse(code, message);
}
