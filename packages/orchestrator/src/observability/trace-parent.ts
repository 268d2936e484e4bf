// W3C Trace Context in the form in which it is carried: https://www.w3.org/TR/trace-context/#traceparent-header

export interface TraceParent {
  /** 32 hex digits. */
  readonly trace: string;
  /** 16 hex digits. */
  readonly span: string;
  readonly sampled: boolean;
}

const SHAPE = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/** Parses a traceparent, which the edge has checked. Later versions may append fields, which are ignored (§2.2.5). */
export function parseTraceParent(text: string | undefined): TraceParent | undefined {
  const [, trace, span, flags] = (text === undefined ? null : SHAPE.exec(text)) ?? [];
  if (trace === undefined || span === undefined) return undefined;
  return { trace, span, sampled: (Number.parseInt(flags as string, 16) & 1) === 1 };
}

export function formatTraceParent({ trace, span, sampled }: TraceParent): string {
  return `00-${trace}-${span}-${sampled ? "01" : "00"}`;
}
