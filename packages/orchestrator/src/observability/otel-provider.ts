// Sets OpenTelemetry up: the resource's name, the sampling, the queue and the exporter; and shuts it down.

import { context, type Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { version } from "../../package.json" with { type: "json" };
import { QuietExporter } from "./otel-exporter.ts";
import type { TracerOptions } from "./tracer-options.ts";

export interface ProviderOptions extends TracerOptions {
  /** Where spans are sent. */
  readonly url: string;
}

export interface TraceProvider {
  readonly tracer: Tracer;
  /** Sends what is queued, and waits `ms` at most. */
  stop(ms: number): Promise<void>;
}

/** The most spans that wait, at about 1 kB each; more are dropped. */
const MOST_QUEUED = 8192;
const MOST_AT_ONCE = 512;
const EVERY_MS = 1000;
const EXPORT_MS = 5000;

export async function openProvider({ url, environment, node, logger }: ProviderOptions): Promise<TraceProvider> {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ "service.name": "capstan", "service.version": version }))
    .merge(resourceFromAttributes({ "service.instance.id": node.id, "capstan.node.name": node.name }))
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
    .merge(detectResources({ detectors: [envDetector] }));
  // Without credentials that the endpoint's URL may have: they must not be logged.
  const { origin, pathname } = new URL(url);
  const exporter = new QuietExporter(
    new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS }),
    origin + pathname,
    logger,
  );
  const processor = new BatchSpanProcessor({
    ...{ exporter, maxQueueSize: MOST_QUEUED, maxExportBatchSize: MOST_AT_ONCE },
    ...{ scheduledDelayMillis: EVERY_MS, exportTimeoutMillis: EXPORT_MS },
  });
  const provider = new TracerProvider({ resource, sampler: samplerOf(environment), spanProcessors: [processor] });
  // Libraries that an effect uses find its span as the active one.
  const manager = new AsyncLocalStorageContextManager().enable();
  const ours = context.setGlobalContextManager(manager);

  return {
    tracer: provider.getTracer("capstan", version),
    async stop(ms) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      });
      await Promise.race([provider.shutdown().catch(() => {}), late]);
      clearTimeout(timer);
      if (ours) context.disable();
    },
  };
}

/** Follows the caller's sampling decision; without one, all traces, or the share in OTEL_TRACES_SAMPLER_ARG. */
function samplerOf({
  OTEL_TRACES_SAMPLER: name,
  OTEL_TRACES_SAMPLER_ARG: share,
}: ProviderOptions["environment"]): Sampler {
  const ratio = Number(share ?? 1);
  const some = name?.endsWith("traceidratio") && ratio >= 0 && ratio <= 1;
  return new ParentBasedSampler({ root: some ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler() });
}
