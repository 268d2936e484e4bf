// The log, as it is read: entries, the newest and the next, why something was decided, and what proves all of it. It decides
// nothing itself; the grant on `log.*` is what lets somebody read what others did.

import { authority, definePlugin, explain, next } from "@capstan/orchestrator";
import { answerList, answerShow, answerTail } from "./answer.ts";
import { answerExport } from "./export.ts";
import { answerCheckpoint, answerHead, answerProof, answerReceipt } from "./prove.ts";
import { ledgerFaults, ledgerMessages } from "./schema.ts";
import { answerVerify } from "./verify.ts";

/** The plugin that answers what the log holds: lists, proofs, receipts, exports. */
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
      "log.checkpoint": answerCheckpoint,
      "log.receipt": answerReceipt,
      "log.proof": answerProof,
      "log.export": answerExport,
      "log.verify": answerVerify,
      "log.explain": ({ message }, reader) => explain(reader, (message.data as { id: string }).id),
    },
  });
}
