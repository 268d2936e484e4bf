// GET /metrics: the node's numbers for Prometheus. If only this machine can reach the node, no credential is needed; otherwise a bearer credential
// whose grant covers `node.metrics`.

import { type Fault, FaultError, fault, faultOf } from "../fault/fault.ts";
import type { NodeMetrics } from "../message/metrics-schema.ts";
import type { Orchestrator } from "../orchestrator.ts";
import type { DoorContext } from "../plugin/plugin.ts";

export const METRICS_PATH = "/metrics";

export interface MetricsDoorOptions {
  readonly orchestrator: Pick<Orchestrator, "metrics">;
  readonly context: DoorContext;
  /** Only this machine can reach the node. */
  readonly open: boolean;
}

export function metricsDoor({
  orchestrator,
  context,
  open,
}: MetricsDoorOptions): (request: Request) => Promise<Response> {
  const { metrics } = orchestrator;

  async function read(request: Request): Promise<NodeMetrics | Fault> {
    if (open) return metrics.read();
    const as = await context.authenticate(request);
    if ("code" in as) return as;
    try {
      return (await context.submit({ resource: "node", action: "metrics", data: {} }, as)) as NodeMetrics;
    } catch (thrown) {
      if (!(thrown instanceof FaultError)) throw thrown;
      return faultOf(thrown);
    }
  }

  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      const refused = context.refuse(fault("METHOD_NOT_ALLOWED", `${METRICS_PATH} is read with GET`));
      refused.headers.set("allow", "GET, HEAD");
      return refused;
    }
    const numbers = await read(request);
    if ("code" in numbers) return context.refuse(numbers);
    // Loaded at the first scrape: most tests and tools are never scraped.
    const { CONTENT_TYPE, prometheusText } = await import("./prometheus.ts");
    const text = await prometheusText(numbers, metrics.meters);
    return new Response(text, { headers: { "content-type": CONTENT_TYPE, "cache-control": "no-store" } });
  };
}
