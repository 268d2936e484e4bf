// What a message came to, in the words that are compared: its verdict, the fault's code, the plugin that stopped it and the
// clause by which. Rows, answers and effects are not compared.

import type { Header } from "../log/entry.ts";
import type { Decision, Verdict } from "../pipeline/decide.ts";
import type { Trace } from "../pipeline/recorder.ts";

export interface Judgement {
  readonly verdict: "done" | "refused" | "held";
  /** The fault's code, of a refusal. */
  readonly code?: string;
  /** The plugin that stopped it; none where all let it pass, or the kernel itself refused it. */
  readonly plugin?: string;
  readonly clause?: string;
  /** The fault's text, or the hold's name. */
  readonly text?: string;
}

/** A judgement with what every plugin said. */
export interface Judged extends Judgement {
  readonly verdicts: readonly Verdict[];
}

export function recordedJudgement(header: Pick<Header, "verdict">, trace: Trace): Judged {
  const { verdicts, error, data } = trace;
  const verdict = header.verdict as Judgement["verdict"];
  const held = verdict === "held" ? (data as { held?: string } | undefined)?.held : undefined;
  return judged(verdict, verdicts, error?.code, error?.message ?? held);
}

export function judgementOf(decision: Decision): Judged {
  const { kind, verdicts } = decision;
  switch (kind) {
    case "refused":
      return judged("refused", verdicts, decision.error.code, decision.error.message);
    case "held":
      return judged("held", verdicts, undefined, decision.hold.name);
    case "done":
      return judged("done", verdicts, undefined, undefined);
    default:
      return decision satisfies never;
  }
}

/** A refusal by the kernel itself: no plugin was asked, or what they said did not count. */
export function kernelRefusal(code: string, text: string, verdicts: readonly Verdict[] = []): Judged {
  return { verdict: "refused", code, text, verdicts };
}

function judged(
  verdict: Judgement["verdict"],
  verdicts: readonly Verdict[],
  code: string | undefined,
  text: string | undefined,
): Judged {
  const stopper = verdicts.find(({ kind }) => kind !== "next");
  return {
    verdict,
    ...(code === undefined ? {} : { code }),
    ...(stopper === undefined ? {} : { plugin: stopper.plugin }),
    ...(stopper?.clause === undefined ? {} : { clause: stopper.clause }),
    ...(text === undefined ? {} : { text }),
    verdicts,
  };
}

/** What passes by another clause than before passes all the same. */
export function sameJudgement(was: Judgement, now: Judgement): boolean {
  return (
    was.verdict === now.verdict &&
    was.code === now.code &&
    was.plugin === now.plugin &&
    (was.verdict === "done" || was.clause === now.clause)
  );
}

/** As it is told beside `other`: where this one passed, with the clause of the plugin that stopped the other. */
export function told({ verdicts, ...judgement }: Judged, other: Judgement): Judgement {
  if (judgement.verdict !== "done" || judgement.plugin !== undefined || other.plugin === undefined) return judgement;
  const clause = verdicts.find(({ plugin }) => plugin === other.plugin)?.clause;
  return clause === undefined ? judgement : { ...judgement, plugin: other.plugin, clause };
}
