// Where traces go, as the settings say it.

import type { Logger } from "../plugin/plugin.ts";
import type { NodeInfo } from "../plugin/reader.ts";

export interface OtelConfig {
  /** Of an OTLP/HTTP collector: `http://127.0.0.1:4318`. */
  readonly endpoint: string;
}

export interface TracerOptions {
  /** What the configuration says: over the environment. */
  readonly config?: OtelConfig | undefined;
  /** Where `OTEL_EXPORTER_OTLP_ENDPOINT` and its kin may be. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly node: Pick<NodeInfo, "id" | "name">;
  readonly logger: Logger;
}
