// Opens the tracer that the settings ask for. OpenTelemetry, most of a megabyte, is loaded here, and only where an endpoint is set.

import { FaultError, fault } from "../fault/fault.ts";
import type { Tracer } from "./tracer.ts";
import type { TracerOptions } from "./tracer-options.ts";

/** Where the paths of a collector's signals begin (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). */
const TRACES = "/v1/traces";

/** The tracer that the settings ask for; `undefined` where they ask for none. @throws FaultError CONFIG_UNKNOWN */
export async function openTracer(options: TracerOptions): Promise<Tracer | undefined> {
  const url = tracesUrl(options);
  if (url === undefined) return undefined;
  const { otelTracer } = await import("./otel-tracer.ts");
  return otelTracer({ ...options, url });
}

function tracesUrl({ config, environment }: TracerOptions): string | undefined {
  if (environment.OTEL_SDK_DISABLED?.toLowerCase() === "true") return undefined;
  if (config !== undefined) return below("otel.endpoint", config.endpoint);
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces, OTEL_EXPORTER_OTLP_ENDPOINT: base } = environment;
  // The endpoint for traces alone is used as it is.
  if (traces) return checked("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces).href;
  return base ? below("OTEL_EXPORTER_OTLP_ENDPOINT", base) : undefined;
}

function below(where: string, endpoint: string): string {
  const url = checked(where, endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}${TRACES}`;
  return url.href;
}

function checked(where: string, endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  // The value is not repeated: it may have a collector's password.
  throw new FaultError(fault("CONFIG_UNKNOWN", `${where} is no address of a collector, like http://127.0.0.1:4318`));
}
