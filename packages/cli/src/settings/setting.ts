// Everything that can be set, once: its flag, its variable, its key in capstan.config.ts, and what it is by default.

export interface Setting {
  readonly name: string;
  readonly kind: "text" | "list" | "boolean";
  /** The option's key as commander gives it, and as a person types it. */
  readonly option?: string;
  readonly flag?: string;
  readonly variable: string;
  /** Key in capstan.config.ts. */
  readonly key?: string;
  /** Relative to where it was said. */
  readonly path?: true;
  /** Never shown. */
  readonly secret?: true;
  /** What the flag says where nothing stands behind it. */
  readonly bare?: string;
  readonly summary: string;
}

export const settings = {
  config: {
    name: "config",
    kind: "text",
    option: "config",
    flag: "--config",
    variable: "CAPSTAN_CONFIG",
    path: true,
    summary: "the configuration file",
  },
  name: {
    name: "name",
    kind: "text",
    option: "name",
    flag: "--name",
    variable: "CAPSTAN_NAME",
    key: "name",
    summary: "what people call the node",
  },
  data: {
    name: "data",
    kind: "text",
    option: "data",
    flag: "--data",
    variable: "CAPSTAN_DATA",
    key: "data",
    path: true,
    summary: "the data directory",
  },
  memory: {
    name: "memory",
    kind: "boolean",
    option: "memory",
    flag: "--memory",
    variable: "CAPSTAN_MEMORY",
    summary: "keep the log in memory only",
  },
  listen: {
    name: "listen",
    kind: "text",
    option: "listen",
    flag: "--listen",
    variable: "CAPSTAN_LISTEN",
    key: "listen",
    summary: "host:port; port 0 takes any",
  },
  modules: {
    name: "modules",
    kind: "list",
    variable: "CAPSTAN_MODULES",
    key: "modules",
    path: true,
    summary: "directories that action modules may lie in",
  },
  public: {
    name: "public",
    kind: "boolean",
    option: "public",
    flag: "--public",
    variable: "CAPSTAN_PUBLIC",
    key: "public",
    summary: "listen where others can reach it",
  },
  allowHosts: {
    name: "allowHosts",
    kind: "list",
    option: "allowHost",
    flag: "--allow-host",
    variable: "CAPSTAN_ALLOW_HOST",
    key: "allowHosts",
    summary: "names that it is served under",
  },
  allowOrigins: {
    name: "allowOrigins",
    kind: "list",
    option: "allowOrigin",
    flag: "--allow-origin",
    variable: "CAPSTAN_ALLOW_ORIGIN",
    key: "allowOrigins",
    summary: "pages that may call it",
  },
  tlsCert: {
    name: "tlsCert",
    kind: "text",
    option: "tlsCert",
    flag: "--tls-cert",
    variable: "CAPSTAN_TLS_CERT",
    key: "tlsCert",
    path: true,
    summary: "the file with the certificate to serve under, PEM",
  },
  tlsKey: {
    name: "tlsKey",
    kind: "text",
    option: "tlsKey",
    flag: "--tls-key",
    variable: "CAPSTAN_TLS_KEY",
    key: "tlsKey",
    path: true,
    summary: "the file with the certificate's key, PEM",
  },
  iroh: {
    name: "iroh",
    kind: "text",
    option: "iroh",
    flag: "--iroh",
    variable: "CAPSTAN_IROH",
    key: "iroh",
    bare: "on",
    summary: "take sessions over iroh too: on, off, or host:port of UDP",
  },
  irohRelays: {
    name: "irohRelays",
    kind: "list",
    option: "irohRelay",
    flag: "--iroh-relay",
    variable: "CAPSTAN_IROH_RELAY",
    key: "irohRelays",
    summary: "relays that iroh may use: addresses, or default for number0's",
  },
  httpAllow: {
    name: "httpAllow",
    kind: "list",
    option: "httpAllow",
    flag: "--http-allow",
    variable: "CAPSTAN_HTTP_ALLOW",
    key: "httpAllow",
    summary: "what is not public and http may reach all the same: 127.0.0.1:8080, 10.0.0.0/8",
  },
  otel: {
    name: "otel",
    kind: "text",
    option: "otel",
    flag: "--otel",
    variable: "CAPSTAN_OTEL_ENDPOINT",
    key: "otel",
    summary: "where traces are sent, over OTLP/HTTP: http://127.0.0.1:4318",
  },
  logLevel: {
    name: "logLevel",
    kind: "text",
    option: "logLevel",
    flag: "--log-level",
    variable: "CAPSTAN_LOG_LEVEL",
    key: "logLevel",
    summary: "debug, info, warn, error or silent",
  },
  url: {
    name: "url",
    kind: "text",
    option: "url",
    flag: "--url",
    variable: "CAPSTAN_URL",
    summary: "the server to ask",
  },
  token: {
    name: "token",
    kind: "text",
    option: "token",
    flag: "--token",
    variable: "CAPSTAN_TOKEN",
    secret: true,
    summary: "the credential to ask with",
  },
  tokenFile: {
    name: "tokenFile",
    kind: "text",
    option: "tokenFile",
    flag: "--token-file",
    variable: "CAPSTAN_TOKEN_FILE",
    path: true,
    summary: "the file that the credential is in",
  },
  ca: {
    name: "ca",
    kind: "text",
    option: "ca",
    flag: "--ca",
    variable: "CAPSTAN_CA",
    path: true,
    summary: "the file with the certificate that a server's must come of, PEM",
  },
  serverPin: {
    name: "serverPin",
    kind: "text",
    option: "serverPin",
    flag: "--server-pin",
    variable: "CAPSTAN_SERVER_PIN",
    summary: "the pin of the one certificate that a server may show: sha256-…",
  },
  context: {
    name: "context",
    kind: "text",
    option: "context",
    flag: "--context",
    variable: "CAPSTAN_CONTEXT",
    summary: "the context to ask in; none for none",
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof settings;

/** Read by the program itself, and no settings: they are the same wherever they are said. */
export const otherVariables = ["CAPSTAN_JSON", "CAPSTAN_DEBUG"];

/** Keys of capstan.config.ts, those among them that nothing else says. */
export const fileKeys: readonly string[] = [
  ...Object.values<Setting>(settings).flatMap(({ key }) => key ?? []),
  ...["plugins", "limits"],
];
