// An OTLP/HTTP collector for tests, on loopback: takes spans as JSON, and knows their tree.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp

export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly events: readonly { readonly name: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Request_ {
  readonly resourceSpans: {
    readonly resource: { readonly attributes: Attribute[] };
    readonly scopeSpans: { readonly spans: (Omit<CollectedSpan, "attributes"> & { attributes: Attribute[] })[] }[];
  }[];
}
interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export function collector() {
  const spans: CollectedSpan[] = [];
  const bodies: string[] = [];
  const resources: Record<string, unknown>[] = [];
  let status = 200;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const text = await request.text();
      if (status !== 200 || new URL(request.url).pathname !== "/v1/traces") return new Response(null, { status });
      bodies.push(text);
      for (const { resource, scopeSpans } of (JSON.parse(text) as Request_).resourceSpans) {
        resources.push(plain(resource.attributes));
        for (const scope of scopeSpans)
          for (const span of scope.spans)
            spans.push({
              ...span,
              status: span.status ?? {},
              events: span.events ?? [],
              attributes: plain(span.attributes),
            });
      }
      return Response.json({});
    },
  });
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    spans,
    bodies,
    resources,
    answers: (with_: number) => {
      status = with_;
    },
    /** The one span of this name. */
    span(name: string): CollectedSpan {
      const found = spans.filter((span) => span.name === name);
      if (found.length !== 1) throw new Error(`${found.length} spans are "${name}" among ${spans.length}`);
      return found[0] as CollectedSpan;
    },
    /** `parent > child` by name, sorted; the parent of a root is what its caller said, or nothing. */
    tree(): string[] {
      const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
      return spans
        .map(({ name, parentSpanId }) => (parentSpanId ? `${names.get(parentSpanId) ?? "remote"} > ${name}` : name))
        .sort();
    },
    stop: () => server.stop(true),
  };
}

function plain(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
