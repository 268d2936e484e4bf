// The plugin that performs actions, put together: its decisions are in execution/ and elsewhere/, invoke.ts carries out what they owe, and task/
// runs it.

import { definePlugin, next, refuse } from "@capstan/orchestrator";
import { elsewhere } from "../registry/elsewhere.ts";
import { answerList, answerShow } from "./answer.ts";
import { type Context, NEEDS } from "./context.ts";
import type { Ways } from "./elsewhere/carry.ts";
import { recall } from "./execution/cancel.ts";
import { decideExecution } from "./execution/decide-execution.ts";
import { perform } from "./execution/decide-perform.ts";
import { heldById } from "./execution/held-calls.ts";
import { invoke } from "./invoke.ts";
import { executorMessages } from "./messages.ts";
import { inspectAction, originalOf, recalledOf } from "./prepare.ts";
import type { Protocol } from "./protocol.ts";
import { protocolAnswers } from "./protocol-answers.ts";
import { executions, type Protocols, protocols } from "./protocols.ts";
import { oldestOpen } from "./retained.ts";
import { executionTable, INVOKE, recallTable } from "./schema.ts";
import { createProtocols, type ProtocolsOptions } from "./task/create-protocols.ts";

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

/** The row is the registry's, and is already written. */
function checkTask(known: Protocols, { message, state, before, needs }: Context) {
  const { name } = message.data as { name: string };
  const action = state.get(needs.actions, name) ?? before.get(needs.actions, name);
  const refused = action === undefined ? undefined : known.refused(action, needs.authority);
  return refused === undefined ? next() : refuse(refused.code, refused.message, { details: refused.details });
}
