// `capstan.config.ts`: its type, and its check when it is read. Plugins decide in the order of the tuple.

import { z } from "zod";
import { FaultError, fault } from "../fault/fault.ts";
import { nearest } from "../message/nearest.ts";
import type { OtelConfig } from "../observability/tracer-options.ts";
import type { Ordered } from "../plugin/order.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import type { SessionLimits } from "../rpc/limits.ts";

/** The configuration of a node. */
export interface Config<P extends readonly AnyPlugin[] = readonly AnyPlugin[]> {
  /** A name for people to read. */
  readonly name?: string;
  /** The data directory; default ./.capstan. */
  readonly data?: string;
  /** `host:port`; default 127.0.0.1:7420. */
  readonly listen?: string;
  /** In the order in which they decide. */
  readonly plugins?: P;
  /** Directories that action modules may lie in; default: the configuration's. */
  readonly modules?: readonly string[];
  readonly public?: boolean;
  readonly allowHosts?: readonly string[];
  readonly allowOrigins?: readonly string[];
  readonly logLevel?: "debug" | "info" | "warn" | "error" | "silent";
  readonly limits?: Partial<SessionLimits>;
  /** Listens with TLS: the certificate and its key, PEM files. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Takes sessions over iroh: `on` where it listens, or at a `host:port` of UDP. */
  readonly iroh?: string;
  /** Relays that iroh uses: URLs, or `default` for number0's. */
  readonly irohRelays?: readonly string[];
  /** Addresses that are not public and that `http` may reach all the same: `127.0.0.1:8080`, `10.0.0.0/8`. */
  readonly httpAllow?: readonly string[];
  /** Where OpenTelemetry traces go; default: nowhere, or where OTEL_EXPORTER_OTLP_ENDPOINT says. */
  readonly otel?: OtelConfig;
}

const configSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[\w.-]+$/, "must be letters, digits and . _ -")
    .optional(),
  data: z.string().min(1).optional(),
  listen: z.string().min(1).optional(),
  plugins: z
    .array(z.custom<AnyPlugin>((value) => typeof (value as AnyPlugin)?.decide === "function", "must be a plugin"))
    .optional(),
  modules: z.array(z.string().min(1)).optional(),
  public: z.boolean().optional(),
  allowHosts: z.array(z.string()).optional(),
  allowOrigins: z.array(z.string()).optional(),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).optional(),
  limits: z.record(z.string(), z.number().int().min(0)).optional(),
  tlsCert: z.string().min(1).optional(),
  tlsKey: z.string().min(1).optional(),
  iroh: z.string().min(1).optional(),
  irohRelays: z.array(z.string().min(1)).optional(),
  httpAllow: z.array(z.string().min(1)).optional(),
  otel: z.strictObject({ endpoint: z.url({ protocol: /^https?$/ }) }).optional(),
});

/** The names of all settings. */
export const configKeys: readonly string[] = Object.keys(configSchema.shape);

/** Infers the types of a configuration. Plugins in a wrong order do not compile. */
export function defineConfig<const P extends readonly AnyPlugin[]>(
  config: Omit<Config, "plugins"> & { readonly plugins?: P & Ordered<P> },
): Config {
  return config as Config;
}

/** @throws FaultError CONFIG_UNKNOWN, naming the key and the nearest one */
export function parseConfig(value: unknown, where = "the configuration"): Config {
  const parsed = configSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data as Config;
  const said = parsed.error.issues.map((issue) => {
    if (issue.code !== "unrecognized_keys") return misfit(issue);
    return unknown(issue.keys);
  });
  throw new FaultError(fault("CONFIG_UNKNOWN", `${where}: ${said.join("; ")}`));
}

/** `logLevel: "loud" is not one of debug, info` */
function misfit(issue: z.core.$ZodIssue): string {
  const where = issue.path.join(".") || "it";
  const given = JSON.stringify(issue.input)?.slice(0, 100) ?? String(issue.input);
  if (issue.code === "invalid_value") return `${where}: ${given} is not one of ${issue.values.join(", ")}`;
  if (issue.code === "invalid_type") return `${where}: ${given} is no ${issue.expected}`;
  // An address may hold a password.
  if (issue.code === "invalid_format" && issue.format === "url") return `${where}: it is no http or https address`;
  return `${where}: ${given}: ${issue.message}`;
}

/** The keys that there are only once, however many are none. */
function unknown(keys: readonly string[]): string {
  const said = keys.map((key) => {
    const suggestion = nearest(key, configKeys);
    return `unknown key "${key}"${suggestion === undefined ? "" : `, did you mean "${suggestion}"?`}`;
  });
  const known = said.every((one) => one.endsWith("?")) ? [] : [`known are ${configKeys.join(", ")}`];
  return [...said, ...known].join("; ");
}
