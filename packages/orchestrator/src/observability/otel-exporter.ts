// Spans on their way to a collector: a queue that is bounded, and a collector that may be down without anybody noticing more of
// it than one line of the log.

import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Logger } from "../plugin/plugin.ts";

type Done = Parameters<SpanExporter["export"]>[1];

/** What OpenTelemetry's `ExportResultCode` has for it. */
const SUCCESS = 0;

/** Tells of the first failure, and of the first success after one. */
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
      // Lost spans are lost: whoever batches them would only report it once more.
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
