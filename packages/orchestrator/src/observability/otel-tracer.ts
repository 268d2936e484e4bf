// The OpenTelemetry tracer: a span for each message, with an event for each plugin, and as children its effects, the messages that follow from it and
// those that its effects send. A message's span ends when its caller may be answered: it is durable, and settled if it was pending. What is
// remembered is bounded: a span that is forgotten while it is open ends as it is.

import type { Tracer as OtelApiTracer } from "@opentelemetry/api";
import { type Context, context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { type Envelope, messageName } from "../message/message.ts";
import type { OwedEffect } from "../plugin/plugin.ts";
import type { EffectOutcome } from "./meters.ts";
import { openProvider, type ProviderOptions, type TraceProvider } from "./otel-provider.ts";
import { formatTraceParent, parseTraceParent, type TraceParent } from "./trace-parent.ts";
import type { Step, TracedEffect, Tracer } from "./tracer.ts";

export async function otelTracer(options: ProviderOptions): Promise<Tracer> {
  return new OtelTracer(await openProvider(options));
}

interface TracedMessage {
  readonly id: string;
  /** Undefined once it has ended. */
  span: Span | undefined;
  readonly context: Context;
  readonly trace: string;
  decided: boolean;
  pending: boolean;
  /** Its own entry; and `until`, the entry that must be durable before the span ends. */
  entry: number;
  until: number;
}

interface OpenEffect {
  readonly span: Span;
  readonly context: Context;
}

/** The most messages and effects whose spans can still get children. Later ones are attached to the caller's own traceparent. */
const MOST_REMEMBERED = 10_000;
const UNDONE = "LOG_UNAVAILABLE";
const LONGEST_NAME = 130;

class OtelTracer implements Tracer {
  readonly #provider: TraceProvider;
  readonly #tracer: OtelApiTracer;
  /** Oldest first. */
  readonly #messages = new Map<string, TracedMessage>();
  /** Messages that are decided and not yet durable. */
  #unsure: TracedMessage[] = [];
  readonly #effects = new Map<string, OpenEffect>();
  /** Effects by the id of their span, which the traceparent of a message may name. */
  readonly #effectSpans = new Map<string, { readonly context: Context; readonly owing: string }>();
  #durable = 0;
  #stopped: Promise<void> | undefined;

  constructor(provider: TraceProvider) {
    this.#provider = provider;
    this.#tracer = provider.tracer;
  }

  begin(envelope: Envelope, of?: string): Step {
    const { span } = this.#open(envelope, of);
    if (span === undefined || !span.isRecording()) return () => {};
    let before = performance.now();
    return (plugin, kind) => {
      const now = performance.now();
      span.addEvent(plugin, { "capstan.verdict": kind, "capstan.duration": (now - before) / 1000 }, epoch(now));
      before = now;
    };
  }

  decided(envelope: Envelope, verdict: string, entry: number | undefined): void {
    const message = this.#messages.get(envelope.id) ?? this.#open(envelope, undefined);
    const { span } = message;
    if (span === undefined) return;
    message.decided = true;
    span.setAttribute("capstan.verdict", verdict);
    if (verdict !== "done" && verdict !== "held") span.setStatus({ code: SpanStatusCode.ERROR, message: verdict });
    if (entry !== undefined) {
      span.setAttribute("capstan.entry", entry);
      message.entry = entry;
      this.#until(message, entry);
    }
    this.#end(message);
  }

  pending(id: string): void {
    const message = this.#messages.get(id);
    if (message !== undefined) message.pending = true;
  }

  settled(id: string, error: string | undefined, by = 0): void {
    const message = this.#messages.get(id);
    if (message?.span === undefined) return;
    message.pending = false;
    if (error !== undefined) {
      message.span.setAttribute("capstan.error", error);
      message.span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    }
    if (by > 0) this.#until(message, by);
    this.#end(message);
  }

  effect(effect: OwedEffect): TracedEffect {
    const parent = this.#messages.get(effect.owing)?.context ?? remote(parseTraceParent(effect.traceparent));
    const span = this.#tracer.startSpan(
      `${effect.plugin}.${effect.kind}`,
      {
        kind: SpanKind.INTERNAL,
        startTime: epoch(performance.now()),
        attributes: {
          "capstan.effect": effect.id,
          "capstan.attempt": effect.attempt,
          "capstan.replayable": effect.replayable,
          "capstan.principal": effect.principal,
          "capstan.grant": effect.grant,
        },
      },
      parent,
    );
    const within = trace.setSpan(parent, span);
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.#effects.set(effect.id, { span, context: within });
    this.#effectSpans.set(spanId, { context: within, owing: effect.owing });
    // An effect whose entry could not be made is never reported as over: the oldest are dropped.
    if (this.#effects.size > MOST_REMEMBERED) this.effectOver(this.#effects.keys().next().value as string, "cancelled");
    return {
      traceparent: formatTraceParent({ trace: traceId, span: spanId, sampled: (traceFlags & 1) === 1 }),
      within: (work) => context.with(within, work),
    };
  }

  effectOver(id: string, outcome: EffectOutcome): void {
    const effect = this.#effects.get(id);
    if (effect === undefined) return;
    this.#effects.delete(id);
    this.#effectSpans.delete(effect.span.spanContext().spanId);
    effect.span.setAttribute("capstan.outcome", outcome);
    if (outcome !== "done") effect.span.setStatus({ code: SpanStatusCode.ERROR, message: outcome });
    effect.span.end(epoch(performance.now()));
  }

  committed(durable: number): void {
    this.#durable = durable;
    const unsure = this.#unsure;
    this.#unsure = [];
    for (const message of unsure) {
      if (message.until > durable) this.#unsure.push(message);
      else this.#end(message);
    }
  }

  undone(durable: number): void {
    const unsure = this.#unsure;
    this.#unsure = [];
    for (const message of unsure) {
      if (message.until <= durable) continue;
      message.until = message.entry;
      if (message.entry <= durable) {
        // The entry that settled it was undone.
        message.pending = true;
        message.span?.setStatus({ code: SpanStatusCode.UNSET });
        continue;
      }
      message.pending = false;
      message.until = 0;
      message.span?.setStatus({ code: SpanStatusCode.ERROR, message: UNDONE }).setAttribute("capstan.error", UNDONE);
      this.#end(message);
    }
  }

  traceOf(id: string): string | undefined {
    return this.#messages.get(id)?.trace;
  }

  stop(ms: number): Promise<void> {
    this.#stopped ??= this.#stop(ms);
    return this.#stopped;
  }

  async #stop(ms: number): Promise<void> {
    for (const message of this.#messages.values()) this.#endAsItIs(message);
    for (const id of [...this.#effects.keys()]) this.effectOver(id, "cancelled");
    await this.#provider.stop(ms);
  }

  #open(envelope: Envelope, of: string | undefined): TracedMessage {
    const { id, message, principal, grant, cause, correlation } = envelope;
    const parent = this.#parentOf(envelope, of);
    const span = this.#tracer.startSpan(
      // A plugin's follow-up may be of any name.
      messageName(message).slice(0, LONGEST_NAME),
      {
        kind: cause === undefined ? SpanKind.SERVER : SpanKind.INTERNAL,
        startTime: epoch(performance.now()),
        attributes: {
          ...{ "capstan.id": id, "capstan.principal": principal, "capstan.grant": grant },
          ...(cause === undefined ? undefined : { "capstan.cause": cause }),
          ...(correlation === undefined ? undefined : { "capstan.correlation": correlation }),
        },
      },
      parent,
    );
    const opened: TracedMessage = {
      ...{ id, span, context: trace.setSpan(parent, span), trace: span.spanContext().traceId },
      ...{ decided: false, pending: false, entry: 0, until: 0 },
    };
    this.#messages.set(id, opened);
    if (this.#messages.size > MOST_REMEMBERED) this.#forgetOldest();
    return opened;
  }

  /** The parent of a message's span: the effect that sent it or whose outcome it is, the message that led to it, or the caller's traceparent. */
  #parentOf({ cause, traceparent }: Envelope, of: string | undefined): Context {
    const said = parseTraceParent(traceparent);
    const effect = of === undefined ? undefined : this.#effects.get(of)?.context;
    const asking = said === undefined ? undefined : this.#effectSpans.get(said.span);
    // A follow-up of a message that an effect sent has the same traceparent, but another cause.
    const asked = asking?.owing === cause ? asking?.context : undefined;
    const led = cause === undefined ? undefined : this.#messages.get(cause)?.context;
    return effect ?? asked ?? led ?? remote(said);
  }

  #until(message: TracedMessage, entry: number): void {
    if (entry <= this.#durable || entry <= message.until) return;
    if (message.until <= this.#durable || !this.#unsure.includes(message)) this.#unsure.push(message);
    message.until = entry;
  }

  /** Ends the span, if nothing more is to come. */
  #end(message: TracedMessage): void {
    if (!message.decided || message.pending || message.until > this.#durable) return;
    message.span?.end(epoch(performance.now()));
    message.span = undefined;
  }

  #endAsItIs(message: TracedMessage): void {
    message.span?.setAttribute("capstan.pending", true).end(epoch(performance.now()));
    message.span = undefined;
  }

  #forgetOldest(): void {
    for (const [id, message] of this.#messages) {
      this.#endAsItIs(message);
      this.#messages.delete(id);
      return;
    }
  }
}

function remote(parent: TraceParent | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const { trace: traceId, span: spanId, sampled } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true });
}

/** Milliseconds since the epoch, with their fractions. */
function epoch(now: number): number {
  return performance.timeOrigin + now;
}
