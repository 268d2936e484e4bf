// Performing: an action's name becomes an execution, owed as an effect and settled by its outcome. Whether the input fits is
// decided here; running it is invoke.ts's.

import { definePlugin, type Fault, fault, JOINS, next, printable, refuse, siblingId } from "@capstan/orchestrator";
import { type Addressed, type Course, destinationOf } from "../registry/destination.ts";
import { elsewhere } from "../registry/elsewhere.ts";
import { compileSchema, describeProblems, shape } from "../registry/json-schema.ts";
import { type ActionRow, topicOf } from "../registry/schema.ts";
import { unknownAction } from "../registry/unknown-action.ts";
import { answerList, answerShow } from "./answer.ts";
import { cancel, notOpen, ofExecution, recall } from "./cancel.ts";
import type { Ways } from "./carry.ts";
import { type Context, NEEDS } from "./context.ts";
import { createProtocols, type ProtocolsOptions } from "./create-protocols.ts";
import {
  askAgain,
  asks,
  endsWith,
  lost,
  performElsewhere,
  recalled,
  retryElsewhere,
  tellsNothing,
  unresolved,
} from "./elsewhere.ts";
import { heldById } from "./held-calls.ts";
import { effectOf, invocation, waitingFor } from "./invocation.ts";
import { invoke } from "./invoke.ts";
import { inspectAction, originalOf, recalledOf } from "./prepare.ts";
import type { Protocol } from "./protocol.ts";
import { protocolAnswers } from "./protocol-answers.ts";
import { executions, type Protocols, protocols } from "./protocols.ts";
import { oldestOpen } from "./retained.ts";
import {
  type ExecutionRow,
  executionTable,
  executorMessages,
  INVOKE,
  ORIGINAL,
  type Original,
  recallTable,
} from "./schema.ts";
import { EXECUTION, letterOf, nextAt, whySpent } from "./spent.ts";

/** The protocols that actions are carried out by. */
export interface ExecutorOptions extends ProtocolsOptions {
  readonly protocols: readonly Protocol[];
}

/** The plugin that performs actions. */
export function executor({ protocols: list, ...options }: ExecutorOptions) {
  const known = createProtocols(list, options);
  const added = Object.keys(options.secrets ?? {});
  const knownFaults = known.faults;
  let ways: Ways | undefined;
  return definePlugin({
    name: "executor",
    version: "3",
    configuration: { protocols: known.names, ...(added.length === 0 ? {} : { secrets: added }) },
    needs: NEEDS,
    adds: [protocols, executions],
    gives: { protocols: known, executions: executionTable },
    messages: executorMessages,
    tables: [executionTable, recallTable],
    faults: knownFaults,
    prepare: {
      "action.register": (envelope, reader) => inspectAction(known, envelope, reader),
      "action.update": (envelope, reader) => inspectAction(known, envelope, reader),
      "execution.retry": originalOf,
      "action.recall": recalledOf,
      "execution.cancel": heldById,
    },
    decide(context) {
      const { message } = context;
      if (message.resource === "action") {
        if (message.action === "perform") return perform(context);
        if (message.action === "recall") return recall(context);
        if (message.action === "register" || message.action === "update") return checkTask(known, context);
      }
      return message.resource === "execution" ? decideExecution(context) : next();
    },
    retains: oldestOpen,
    effects: { [INVOKE]: invoke(known, known.isRetryable, () => ways) },
    answer: { "execution.list": answerList, "execution.show": answerShow, ...protocolAnswers(known) },
    start: (node) => known.start(node),
    run(runtime) {
      ways = {
        carriers: runtime.given(elsewhere).carriers,
        note: (message, origin) => runtime.note(message, origin),
        reader: runtime.reader,
      };
    },
    stop: () => known.stop(),
  });
}

interface Asked extends Addressed {
  readonly input?: unknown;
  readonly publication?: "with" | "only" | "none";
}

function perform(context: Context) {
  const { message, envelope, state, needs } = context;
  // What joins another of its request was decided with that one.
  if (JOINS in envelope.facts) return next();
  const asked = message.data as Asked;
  const { name, input, publication = "with" } = asked;
  const action = state.get(needs.actions, name);
  const where = destinationOf(asked, envelope, action !== undefined, state);
  if (where !== "here" && where !== undefined) {
    if ("unreachable" in where) return refuse("ACTION_UNREACHABLE", where.unreachable);
    return performAway(context, where);
  }
  if (action === undefined) return unknown(context, name);
  const misfit = unfit(action, input);
  if (misfit !== undefined) return misfit;
  const execution = siblingId(envelope.id, "x");
  const row: ExecutionRow = {
    action: name,
    revision: action.revision,
    message: envelope.id,
    principal: envelope.principal,
    state: "running",
    attempt: 1,
    at: envelope.at,
    ...(publication === "with" ? {} : { publication }),
    ...(envelope.deadline === undefined ? {} : { deadline: envelope.deadline }),
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

function unfit(action: ActionRow, input: unknown) {
  const problems = compileSchema(action.input)(input);
  if (problems.length === 0) return undefined;
  const { message, details } = describeProblems(action.name, problems);
  const missing = `${printable(action.name)}: there is no input; it takes ${printable(shape(action.input))}`;
  return refuse("INPUT_INVALID", input === undefined ? missing : message, { details });
}

/** The row is the registry's, and is already written. */
function checkTask(known: Protocols, { message, state, before, needs }: Context) {
  const { name } = message.data as { name: string };
  const action = state.get(needs.actions, name) ?? before.get(needs.actions, name);
  const refused = action === undefined ? undefined : known.refused(action, needs.authority);
  return refused === undefined ? next() : refuse(refused.code, refused.message, { details: refused.details });
}

function decideExecution(context: Context) {
  const { message, envelope, state, needs } = context;
  const data = message.data as {
    id: string;
    execution: string;
    error: Fault;
    retryable: boolean;
    open?: readonly string[];
    node?: string;
  };
  const id = data.id ?? data.execution;
  const row = state.get(executionTable, id);
  switch (message.action) {
    case "ask":
      return asks(state, id, row, message.data as Parameters<typeof asks>[3]);
    case "recalled":
      return recalled(state, id, data.node);
    case "unresolved":
      return unresolved(state, message.data as Parameters<typeof unresolved>[1]);
    case "again":
      if (row?.state !== "ambiguous" || row.elsewhere?.again === undefined) return next();
      return askAgain(envelope, state, id, { ...row, elsewhere: row.elsewhere });
    case "complete":
      // What was cancelled or given up in the meantime has been settled.
      if (row === undefined) return next();
      return next({
        state: state.remove(executionTable, id),
        settles: waitingFor(row).map((one) =>
          row.publication === "only" ? { id: one, data: { execution: id } } : { id: one },
        ),
        // What comes of an action elsewhere is published where the action is.
        publishes: row.publication === "none" || row.elsewhere !== undefined ? undefined : topicOf(row.action),
      });
    case "fail": {
      if (row === undefined) return next();
      if (tellsNothing(row, data.error)) return lose(context, id, row, data.error, undefined);
      const action = row.elsewhere === undefined ? state.get(needs.actions, row.action) : undefined;
      const spent = whySpent(row, action, envelope.at, data);
      if (spent === undefined) return again(context, id, row, action as ActionRow);
      const error = ofExecution(id, row, { ...data.error, id: row.message });
      return next({
        clause: row.ifSpent === undefined ? undefined : spent,
        state: state.remove(executionTable, id),
        settles: waitingFor(row).map((one) => ({ id: one, error })),
        then: row.ifSpent === undefined ? undefined : [needs.deadLetters.add(letterOf(id, row, row.ifSpent, error))],
      });
    }
    case "lose":
      return row === undefined ? next() : lose(context, id, row, data.error, data.open);
    case "cancel":
      return cancel(context, siblingId(id, "x"));
    case "abandon": {
      // Also while it is asked again what became of it: that may take its time, and whoever waits for it is told.
      const isUnknown = row?.state === "ambiguous" || row?.elsewhere?.again !== undefined;
      if (row === undefined || !isUnknown || !needs.authority.writes(row.action)) return notOpen(id, "ambiguous");
      const error = fault("EXECUTION_ABANDONED", `${id} was given up by ${envelope.principal}`, undefined, row.message);
      return next({
        data: { execution: id },
        state: state.remove(executionTable, id),
        cancels: row.state === "running" ? [effectOf(id, row)] : undefined,
        settles: waitingFor(row).map((one) => ({ id: one, error })),
      });
    }
    case "retry":
      return retry(context, id, row);
    default:
      return next();
  }
}

/** Nobody knows whether it ran. */
function lose(
  { state }: Context,
  id: string,
  row: ExecutionRow,
  told: Fault | undefined,
  open: readonly string[] | undefined,
) {
  const isOver = endsWith(row, told);
  const { row: ambiguous, error } = isOver
    ? { row: undefined, error: { ...told, id: row.message } }
    : lost(id, row, told, open);
  return next({
    state: ambiguous === undefined ? state.remove(executionTable, id) : state.put(executionTable, id, ambiguous),
    settles: waitingFor(row).map((one) => ({ id: one, error })),
  });
}

/** Another try of what failed. */
function again({ envelope, state }: Context, id: string, row: ExecutionRow, action: ActionRow) {
  const { deadline, input } = row;
  const tried: ExecutionRow = { ...row, attempt: row.attempt + 1 };
  const effect = invocation(id, tried, action, { at: envelope.at, deadline }, nextAt(row, action, envelope.at));
  return next({
    clause: `attempt ${row.attempt} of ${action.attempts}`,
    state: state.put(executionTable, id, tried),
    effects: [
      {
        ...effect,
        data: input === undefined ? effect.data : { execution: id, input },
        message: row.waiting?.[0] ?? row.message,
      },
    ],
  });
}

function retry(context: Context, id: string, row: ExecutionRow | undefined) {
  const { envelope, state, needs } = context;
  const original = envelope.facts[ORIGINAL] as Original | undefined;
  if (row?.state === "running") {
    // It is asked by itself what became of it: whoever wants to know waits for that.
    if (row.elsewhere?.again === undefined || !needs.authority.writes(row.action))
      return notOpen(id, "ambiguous or failed");
    const joined = { ...row, joined: [...(row.joined ?? []), envelope.id] };
    return next({ data: { execution: id }, pending: true, state: state.put(executionTable, id, joined) });
  }
  const open = original !== undefined && (row !== undefined || original.state === "failed");
  if (!open || !needs.authority.writes(original.name)) return notOpen(id, "ambiguous or failed");
  const letter = needs.deadLetters.open(state, EXECUTION, id);
  // However it came to be tried again, it is no dead letter any more.
  const then = letter === undefined ? undefined : [needs.deadLetters.leave(letter)];
  const known = state.get(needs.actions, original.name);
  const from = { node: envelope.node, via: [] };
  const where = row?.elsewhere === undefined ? destinationOf(original, from, known !== undefined, state) : undefined;
  const action = where === "here" ? known : undefined;
  if (action === undefined) {
    if (row?.elsewhere === undefined && (where === undefined || where === "here"))
      return unknown(context, original.name);
    if (typeof where === "object" && "unreachable" in where) return refuse("ACTION_UNREACHABLE", where.unreachable);
    const course = typeof where === "object" ? where : undefined;
    return retryElsewhere(envelope, state, { id, row, original, course, then }, () => context.nonce);
  }
  const misfit = unfit(action, original.input);
  if (misfit !== undefined) return misfit;
  const earlier = letter ?? row?.ifSpent?.earlier;
  const spendable = action.attempts > 1 || earlier !== undefined;
  const tried: ExecutionRow = {
    action: original.name,
    revision: action.revision,
    message: original.message,
    principal: original.principal,
    state: "running",
    attempt: 1,
    at: envelope.at,
    waiting: [envelope.id],
    input: original.input,
    ...(original.publication === undefined ? {} : { publication: original.publication }),
    ...(envelope.deadline === undefined ? {} : { deadline: envelope.deadline }),
    ...((row?.requested ?? original.requested) ? { requested: true as const } : {}),
    ...(spendable
      ? { ifSpent: { attempts: action.attempts, grant: original.grant, ...(earlier === undefined ? {} : { earlier }) } }
      : {}),
  };
  const effect = invocation(id, tried, action, envelope, undefined);
  return next({
    data: { execution: id },
    pending: true,
    state: state.put(executionTable, id, tried),
    // The owing message is the retry; what the first was asked goes with the effect.
    effects: [{ ...effect, data: { execution: id, input: original.input }, after: original.ended }],
    then,
  });
}

/** Suggests only what the caller may know of. */
function unknown({ state, needs }: Context, name: string) {
  const known = [...state.rows(needs.actions)].map(([one]) => one).filter((one) => needs.authority.reads(one));
  const { code, message } = unknownAction(name, known);
  return refuse(code, message);
}
