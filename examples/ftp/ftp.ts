// A protocol of an operator's: files on an FTP server. What an action may reach is in its registration, one directory, and in
// the grant of whoever registered it; a caller names files below that, and nothing else.

import { Readable, Writable } from "node:stream";
import { type Fault, FaultError, fault, printable } from "@capstan/orchestrator";
import { defineProtocol, secret } from "@capstan/plugins";
import { Client, FTPError } from "basic-ftp";
import { z } from "zod";

const MOST_BYTES = 2 * 1024 * 1024;
/** Of a listing: what a server says is held in memory before it is looked at. */
const LISTING_BYTES = 1024 * 1024;

// A command of FTP is a line: nothing that could end one gets into it.
const oneLine = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}]+$/u, "must not hold control characters");
const directory = oneLine(1000).regex(/^\/(?!.*\/$)|^\/$/, "must be absolute, without a / at its end");

const configSchema = z.strictObject({
  host: z.string().regex(/^[\w.:-]{1,253}$/, "must be a host's name or address"),
  port: z.number().int().min(1).max(65_535).default(21),
  user: oneLine(200).default("anonymous"),
  password: secret(oneLine(1000)).optional(),
  /** `none` sends the password for everybody on the way to read. */
  tls: z.enum(["explicit", "implicit", "none"]).default("explicit"),
  operation: z.enum(["list", "get", "put"]),
  /** What callers name lies in it. */
  directory: directory.default("/"),
  /** What a file's bytes are in an input or an output. */
  encoding: z.enum(["utf8", "base64"]).default("utf8"),
  maxBytes: z.number().int().min(1).max(MOST_BYTES).default(MOST_BYTES),
});

/** As it is when an action runs: with the password in it. */
type Server = Omit<z.output<typeof configSchema>, "password"> & { readonly password?: string | undefined };

const path = oneLine(1000).refine(
  (text) => !text.startsWith("/") && text.split("/").every((part) => part !== "" && part !== "." && part !== ".."),
  "must be a path below the directory, without . and ..",
);
const inputs = {
  list: z.strictObject({ path: path.optional() }),
  get: z.strictObject({ path }),
  put: z.strictObject({ path, content: z.string() }),
};

export const ftp = () =>
  defineProtocol({
    name: "ftp",
    summary: "Files on an FTP server: lists a directory, gets a file, puts one.",
    configSchema,
    faults: {
      FTP_UNREACHABLE: { status: 502, retryable: true, text: "No FTP server answers there, or not to the end." },
      FTP_BUSY: { status: 503, retryable: true, text: "The server says that it cannot now, but could later (4xx)." },
      FTP_REFUSED: { status: 502, retryable: false, text: "The server says no (5xx); the text is its own." },
      FTP_TOO_LARGE: { status: 502, retryable: false, text: "The file has more than `maxBytes` bytes." },
      FTP_NO_TEXT: { status: 502, retryable: false, text: "The file is no UTF-8; use the encoding base64." },
    },
    rights: ({ host, port, directory: below, operation }) => [
      { resource: "ftp", verb: operation === "put" ? "write" : "read", name: `${host}:${port}${encodeURI(below)}` },
    ],
    inspect: async ({ operation }) => ({
      // What callers are told of the action, and their input is checked against before anything runs.
      input: {
        list: z.toJSONSchema(inputs.list),
        get: z.toJSONSchema(inputs.get),
        put: z.toJSONSchema(inputs.put),
      }[operation],
      readOnly: operation !== "put",
      idempotent: true,
    }),
    async testConnection(configuration, signal) {
      try {
        await connected(configuration, signal, (client) => client.cd(configuration.directory));
        return undefined;
      } catch (thrown) {
        if (thrown instanceof FaultError) return thrown.toFault();
        throw thrown;
      }
    },
    // Before anything is sent, the input is looked at.
    execute({ configuration, input, key, signal }) {
      switch (configuration.operation) {
        case "list": {
          const { path: name } = given(inputs.list, input);
          return connected(configuration, signal, (client) => list(client, below(configuration, name)));
        }
        case "get": {
          const { path: name } = given(inputs.get, input);
          return connected(configuration, signal, (client) => get(client, configuration, name));
        }
        case "put": {
          const { path: name, content } = given(inputs.put, input);
          const bytes = Buffer.from(content, configuration.encoding);
          if (bytes.length > configuration.maxBytes) throw new FaultError(tooLarge(name, configuration.maxBytes));
          return connected(configuration, signal, (client) => put(client, below(configuration, name), bytes, key));
        }
        default:
          return configuration.operation satisfies never;
      }
    },
  });

async function list(client: Client, directory: string) {
  const found = await client.list(directory);
  return found
    .filter(({ name }) => name !== "." && name !== "..")
    .map(({ name, size, isDirectory }) => ({ name, size, type: isDirectory ? "directory" : "file" }));
}

async function get(client: Client, server: Server, name: string) {
  const bytes = await download(client, below(server, name), server.maxBytes);
  return { size: bytes.length, content: decoded(bytes, server.encoding, name) };
}

/** Under a name of its own first: nobody sees half a file, and another attempt begins anew. */
async function put(client: Client, file: string, bytes: Buffer, key: string) {
  const draft = `${file}.${key}.part`;
  await client.uploadFrom(Readable.from([bytes]), draft);
  await client.rename(draft, file);
  return { size: bytes.length };
}

/** Logs in, does it, and hangs up: also when the signal says so. @throws FaultError */
async function connected<T>(server: Server, signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { host, port, user, password = "guest", tls } = server;
  // The node's deadline is the one that counts; where data is sent from and to is the host that was named.
  const client = new Client(0, { allowSeparateTransferHost: false, maxListingBytes: LISTING_BYTES });
  const hangUp = () => client.close();
  signal.addEventListener("abort", hangUp, { once: true });
  try {
    await client.access({
      host,
      port,
      user,
      password,
      secure: { explicit: true, implicit: "implicit" as const, none: false }[tls],
    });
    return await work(client);
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    throw thrown instanceof FaultError ? thrown : new FaultError(faultFrom(thrown, `${host}:${port}`));
  } finally {
    signal.removeEventListener("abort", hangUp);
    client.close();
  }
}

function faultFrom(thrown: unknown, where: string): Fault {
  const text = printable(String((thrown as { message?: unknown }).message ?? thrown).split("\n")[0] ?? "", 300);
  if (!(thrown instanceof FTPError)) return fault("FTP_UNREACHABLE", `${where}: ${text}`);
  return fault(thrown.code < 500 ? "FTP_BUSY" : "FTP_REFUSED", `${where}: ${text}`);
}

async function download(client: Client, file: string, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const taking = new Writable({
    write(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      chunks.push(chunk);
      done(size > most ? new FaultError(tooLarge(file, most)) : null);
    },
  });
  await client.downloadTo(taking, file);
  return Buffer.concat(chunks);
}

function decoded(bytes: Buffer, encoding: "utf8" | "base64", file: string): string {
  if (encoding === "base64") return bytes.toString("base64");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FaultError(fault("FTP_NO_TEXT", `${file} is no UTF-8; use the encoding base64`));
  }
}

function below({ directory: root }: Pick<Server, "directory">, name: string | undefined): string {
  return name === undefined ? root : `${root === "/" ? "" : root}/${name}`;
}

function tooLarge(file: string, most: number): Fault {
  return fault("FTP_TOO_LARGE", `${file} has more than ${most} bytes`);
}

function given<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FaultError(fault("INPUT_INVALID", `"${issue?.path.join(".")}" ${issue?.message}`));
}
