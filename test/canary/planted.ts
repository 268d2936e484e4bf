// The canaries: secrets of every kind that a node is given, random in each run, where they were planted, and how one is found again
// in whatever was said: as it is, and in the forms that programs quote things in.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Canary {
  /** What it is, for the report of a leak: never the canary itself. */
  readonly what: string;
  readonly text: string;
}

/** Characters that quoting changes are in it, so that every form of it is another text. */
function secret(kind: string): string {
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString("base64");
  return `${kind}~${random}/+&"${random.slice(0, 4)}=`;
}

export interface Planted {
  readonly canaries: readonly Canary[];
  /** The environment that the node is started with. */
  readonly env: Readonly<Record<string, string>>;
  /** `{ secret: … }` of each that is referred to. */
  /** And commands. */
  readonly commandEnv: Readonly<Record<string, string>>;
  /** An address with a password in it. */
  readonly address: string;
  readonly references: {
    readonly header: string;
    readonly bearer: string;
    readonly process: string;
    readonly dotEnv: string;
  };
}

/** Plants them in a node's directory and in its environment. */
export function plant(cwd: string): Planted {
  const texts = {
    header: secret("header"),
    bearer: secret("bearer").replace(/[^\w~+/=]/g, "x"),
    process: secret("process"),
    unused: secret("unused"),
    thrown: secret("thrown"),
    dotEnv: secret("dotenv").replaceAll('"', "'"),
    unusedDotEnv: secret("dotenv2").replaceAll('"', "'"),
    unusedFile: secret("file"),
    config: secret("config"),
    token: secret("token"),
    address: secret("address").replace(/[^\w~]/g, "x"),
  };
  mkdirSync(join(cwd, "secrets"), { mode: 0o700 });
  writeFileSync(join(cwd, "secrets", "bearer"), `${texts.bearer}\n`, { mode: 0o600 });
  writeFileSync(join(cwd, "secrets", "unused"), `${texts.unusedFile}\n`, { mode: 0o600 });
  writeFileSync(join(cwd, ".env"), `CANARY_DOTENV="${texts.dotEnv}"\nCANARY_DOTENV_UNUSED="${texts.unusedDotEnv}"\n`);
  writeFileSync(join(cwd, "config-secret.json"), JSON.stringify(texts.config));
  const canaries = Object.entries(texts).map(([what, text]) => ({ what, text }));
  return {
    canaries,
    env: {
      CANARY_HEADER: texts.header,
      CANARY_PROCESS: texts.process,
      CANARY_UNUSED: texts.unused,
      CANARY_THROWN: texts.thrown,
    },
    commandEnv: { CAPSTAN_TOKEN: texts.token },
    address: `http://ada:${texts.address}@127.0.0.1:9`,
    references: {
      header: "env:CANARY_HEADER",
      bearer: `file:${join(cwd, "secrets", "bearer")}`,
      process: "env:CANARY_PROCESS",
      dotEnv: "env:CANARY_DOTENV",
    },
  };
}

/** What the node makes by itself. */
export function ownSecrets(data: string): Canary[] {
  const read = (name: string): string => readFileSync(join(data, name), "utf8").trim();
  const key = read("node.key").match(/[\w+/=-]{32,}/g) ?? [];
  return [
    { what: "admin.token", text: read("admin.token") },
    ...key.map((text, at) => ({ what: `node.key, part ${at}`, text })),
  ];
}

/** What pairs of nodes share, as the node keeps it, and as it is handed over. */
export function pairSecrets(cwd: string): readonly [kept: Canary[], invited: Canary[]] {
  const own = join(cwd, ".capstan", "peers");
  const kept = readdirSync(own).map((file) => ({ what: file, text: readFileSync(join(own, file), "utf8").trim() }));
  const invited = readdirSync(cwd)
    .filter((file) => file.endsWith(".invite"))
    .map((file) => ({
      what: file,
      text: (JSON.parse(readFileSync(join(cwd, file), "utf8")) as { secret: string }).secret,
    }));
  return [kept, invited];
}

export interface Leak {
  readonly what: string;
  readonly where: string;
  readonly form: string;
}

/** Text, or bytes as they are. */
export type Said = ReadonlyMap<string, string | Uint8Array>;

export function leaksIn(said: Said, canaries: readonly Canary[]): Leak[] {
  const leaks: Leak[] = [];
  for (const [where, given] of said) {
    const bytes =
      typeof given === "string" ? Buffer.from(given) : Buffer.from(given.buffer, given.byteOffset, given.length);
    for (const { what, text } of canaries)
      for (const [form, written] of formsOf(text)) if (bytes.includes(written)) leaks.push({ what, where, form });
  }
  return leaks;
}

function formsOf(text: string): (readonly [form: string, written: string])[] {
  const bytes = Buffer.from(text);
  const json = JSON.stringify(text).slice(1, -1);
  const half = Math.floor(text.length / 2);
  return [
    ["as it is", text],
    ["as JSON", json],
    ["as JSON in JSON", JSON.stringify(json).slice(1, -1)],
    ["URL-encoded", encodeURIComponent(text)],
    ["base64", bytes.toString("base64").replace(/=+$/, "")],
    ["base64url", bytes.toString("base64url")],
    ["hexadecimal", bytes.toString("hex")],
    // Half of it is half as hard to guess.
    ["its first half", text.slice(0, half)],
    ["its second half", text.slice(half)],
  ];
}
