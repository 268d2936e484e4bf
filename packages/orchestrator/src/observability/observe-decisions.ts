// Who watches decisions: the meters, the tracer, and whoever embeds the node. None of them can change a decision or stop it.

import type { Envelope } from "../message/message.ts";
import type { Logger } from "../plugin/plugin.ts";
import type { Meters } from "./meters.ts";
import { parseTraceParent } from "./trace-parent.ts";
import type { Tracer } from "./tracer.ts";

/** Told of every decided message (`OrchestratorOptions.onDecided`). What it throws is logged, and changes nothing. */
export type Observer = (decided: {
  readonly id: string;
  readonly message: string;
  readonly principal: string;
  /** `done`, `held`, or the fault's code. */
  readonly verdict: string;
  readonly entry: number | undefined;
  /** The caller's own id for what belongs together, and the trace that the message is part of. */
  readonly correlation?: string;
  readonly trace?: string;
}) => void;

export interface DecisionWatchers {
  readonly meters: Meters;
  readonly tracer: Tracer | undefined;
  readonly logger: Logger;
  readonly onDecided: Observer | undefined;
}

/** Answers what the tip calls at every decision. `verdict`: as an `Observer` is told. `entry`: where it is recorded, if it is. */
export function observeDecisions({ meters, tracer, logger, onDecided }: DecisionWatchers) {
  return (envelope: Envelope, verdict: string, entry: number | undefined): void => {
    const { id, message, principal, correlation } = envelope;
    meters.decided(message, verdict);
    tracer?.decided(envelope, verdict, entry);
    if (onDecided === undefined) return;
    const trace = tracer?.traceOf(id) ?? parseTraceParent(envelope.traceparent)?.trace;
    const told = { id, message: `${message.resource}.${message.action}`, principal, verdict, entry };
    try {
      onDecided({
        ...told,
        ...(correlation === undefined ? undefined : { correlation }),
        ...(trace === undefined ? undefined : { trace }),
      });
    } catch (thrown) {
      // It is called in the middle of a decision, which must not stop half-way.
      logger.error({ error: String(thrown) }, "an observer failed");
    }
  };
}
