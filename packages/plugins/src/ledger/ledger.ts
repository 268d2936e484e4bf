// The log, as it is read: entries, the newest and the next, and why something was decided. It decides nothing itself; the
// grant on `log.*` is what lets somebody read what others did.

import { authority, definePlugin, explain, next } from "@capstan/orchestrator";
import { answerHead, answerList, answerShow, answerTail } from "./answer.ts";
import { ledgerFaults, ledgerMessages } from "./schema.ts";

export function ledger() {
  return definePlugin({
    name: "ledger",
    version: "1",
    needs: [authority],
    messages: ledgerMessages,
    faults: ledgerFaults,
    decide: () => next(),
    answer: {
      "log.list": answerList,
      "log.show": answerShow,
      "log.tail": answerTail,
      "log.head": answerHead,
      "log.explain": ({ message }, reader) => explain(reader, (message.data as { id: string }).id),
    },
  });
}
