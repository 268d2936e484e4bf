// Exports spans to a collector. A collector that is down costs one line of the log and nothing else.

import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Logger } from "../plugin/plugin.ts";

type Done = Parameters<SpanExporter["export"]>[1];

/** What OpenTelemetry's `ExportResultCode` has for it. */
const SUCCESS = 0;

/** Logs the first failure, and the first success after a failure. */
export class QuietExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #logger: Logger;
  readonly #where: string;
  #failing = false;

  constructor(inner: SpanExporter, where: string, logger: Logger) {
    this.#inner = inner;
    this.#where = where;
    this.#logger = logger;
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.#inner.export(spans, (result) => {
      this.#tell(result.code === SUCCESS, result.error);
      // Reported as success: the batching processor would only log the failure again.
      done({ code: SUCCESS });
    });
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush?.() ?? Promise.resolve();
  }

  #tell(good: boolean, error: Error | undefined): void {
    if (good === !this.#failing) return;
    this.#failing = !good;
    const fields = { collector: this.#where };
    if (good) this.#logger.info(fields, "traces arrive again");
    else {
      const text = "traces are lost: the collector does not take them. This is told once, until it does";
      this.#logger.warn({ ...fields, error: error?.message ?? "no answer" }, text);
    }
  }
}
