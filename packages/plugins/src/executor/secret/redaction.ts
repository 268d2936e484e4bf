// Keeps secrets out of what leaves a run: faults, outputs, log lines, messages. A secret is found as it is, and in the forms
// that programs quote things in: URL-encoded, base64 (alone or inside something), hexadecimal, escaped as in JSON.

import { type Fault, type Logger, printable } from "@capstan/orchestrator";

export interface Redaction {
  text(text: string): string;
  /** A copy of plain data with secrets redacted, in keys too. */
  value(value: unknown): unknown;
  fault(fault: Fault): Fault;
  log(log: Logger): Logger;
}

/** Each line of a secret that is at least so long counts as a secret itself. */
const LONG_LINE = 16;
/** The beginning of a secret at the end of a cut text is redacted too, if it has at least so many characters. */
const SHORTEST_PART = 6;
const DEEPEST = 100;

interface Form {
  readonly form: string;
  readonly mark: string;
}

/** @param secrets the secrets by their references */
export function redaction(secrets: ReadonlyMap<string, string>): Redaction {
  // Grouped by how they begin, the longest first, because one may contain another. A key of a thousand lines has ten thousand forms.
  const byHead = new Map<string, Form[]>();
  for (const [reference, secret] of secrets) {
    for (const form of formsOf(secret)) {
      const head = form.slice(0, SHORTEST_PART);
      const known = byHead.get(head);
      if (known === undefined) byHead.set(head, [{ form, mark: `[secret ${reference}]` }]);
      else known.push({ form, mark: `[secret ${reference}]` });
    }
  }
  for (const forms of byHead.values()) forms.sort((one, other) => other.form.length - one.form.length);

  const heads = byHead.size === 0 ? undefined : headsIn(byHead.keys());

  function text(given: string): string {
    if (heads === undefined) return given;
    let clean = "";
    let from = 0;
    let cut = -1;
    heads.lastIndex = 0;
    for (let met = heads.exec(given); met !== null; met = heads.exec(given)) {
      const { index: at } = met;
      // A text may have been cut in the middle of a secret: its beginning is redacted there too.
      if (cut < at) cut = endOfPart(given, at);
      const forms = byHead.get(met[0]) as readonly Form[];
      const whole = forms.find(({ form }) => given.startsWith(form, at));
      const found = whole ?? forms.find(({ form }) => at + form.length > cut && form.startsWith(given.slice(at, cut)));
      heads.lastIndex = at + 1;
      if (found === undefined) continue;
      // In one pass, because a mark could itself contain another secret.
      clean += given.slice(from, at) + found.mark;
      from = whole === undefined ? cut : at + whole.form.length;
      heads.lastIndex = from;
    }
    return from === 0 ? given : clean + given.slice(from);
  }

  /** Objects that were met before are not walked again: log fields may refer to each other in circles. */
  function value(given: unknown, levels: number, met: Map<object, unknown>): unknown {
    if (typeof given === "string") return text(given);
    if (typeof given === "number" || typeof given === "bigint") {
      const written = text(String(given));
      return written === String(given) ? given : written;
    }
    if (typeof given !== "object" || given === null) return given;
    if (met.has(given)) return met.get(given);
    if (levels === 0) return "[too deep]";
    met.set(given, "[circular]");
    const clean = parts(given, levels - 1, met);
    met.set(given, clean);
    return clean;
  }

  function parts(given: object, levels: number, met: Map<object, unknown>): unknown {
    if (given instanceof Error) return text(`${given.name}: ${given.message}`);
    const bytes = bytesOf(given);
    if (bytes !== undefined) {
      const said = text(bytes.toString("utf8"));
      // Bytes stay bytes, unless they contain a secret: then they become the redacted text.
      if (said !== bytes.toString("utf8")) return said;
    }
    const { toJSON } = given as { toJSON?: unknown };
    if (typeof toJSON === "function") return value(toJSON.call(given), levels, met);
    if (Array.isArray(given)) return given.map((one) => value(one, levels, met));
    return Object.fromEntries(Object.entries(given).map(([key, one]) => [text(key), value(one, levels, met)]));
  }

  const cleaned = (given: unknown): unknown => value(given, DEEPEST, new Map());
  const written =
    (write: (fields: object, line: string) => void) =>
    (fields: object, line: string): void =>
      // An operator's protocol may leave the text out.
      write(cleaned(fields) as object, line === undefined ? line : text(line));

  return {
    text,
    value: cleaned,
    fault: ({ code, message, details, id }) => ({
      // A code with a secret in it is replaced.
      code: text(code) === code ? code : "ACTION_FAILED",
      message: text(message),
      ...(details === undefined ? {} : { details: cleaned(details) }),
      ...(id === undefined ? {} : { id: text(id) }),
    }),
    log: (log) => ({
      debug: written((fields, line) => log.debug(fields, line)),
      info: written((fields, line) => log.info(fields, line)),
      warn: written((fields, line) => log.warn(fields, line)),
      error: written((fields, line) => log.error(fields, line)),
    }),
  };
}

/** One expression for all beginnings: everybody waits while an output of megabytes is searched. */
function headsIn(heads: Iterable<string>): RegExp {
  const escaped = [...heads].map((head) => head.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"));
  return new RegExp(escaped.join("|"), "g");
}

/** The end of the part of a text around `at`: the mark of a cut, or the text's end. */
function endOfPart(given: string, at: number): number {
  const mark = given.indexOf("…", at);
  return mark < 0 ? given.length : mark;
}

/** The bytes of a value: of a buffer, or of an array of numbers as JSON has it; otherwise `undefined`. */
function bytesOf(given: object): Buffer | undefined {
  if (ArrayBuffer.isView(given)) return Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (!Array.isArray(given) || given.length < SHORTEST_PART || !given.every(isByte)) return undefined;
  return Buffer.from(given as number[]);
}

function isByte(one: unknown): boolean {
  return Number.isInteger(one) && (one as number) >= 0 && (one as number) < 256;
}

function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= LONG_LINE && !line.startsWith("-----"));
  // Readers may trim the blanks around a secret, as HTTP headers do.
  const texts = [secret, secret.trim(), ...(lines.length > 1 || secret.includes("\n") ? lines : [])];
  // JSON texts are themselves put into URLs, base64 and so on; a secret with quotes is then escaped as in JSON first.
  const inJson = texts.map((text) => JSON.stringify(text).slice(1, -1));
  return [...new Set([...texts, ...inJson].flatMap(writings))].filter((form) => form.length >= SHORTEST_PART);
}

/** The text, and its other written forms. */
function writings(text: string): string[] {
  const bytes = Buffer.from(text, "utf8");
  const encoded = encodeURIComponent(text.toWellFormed());
  const escaped = JSON.stringify(text).slice(1, -1);
  const hex = bytes.toString("hex");
  return [
    ...[text, printable(text), bytes.toString("latin1"), escaped, JSON.stringify(escaped).slice(1, -1)],
    ...[
      encoded,
      encoded.replace(/%../g, (code) => code.toLowerCase()),
      encoded.replaceAll("%20", "+"),
      encodeURI(text.toWellFormed()),
    ],
    ...[hex, hex.toUpperCase()],
    ...[0, 1, 2].flatMap((shift) => base64Of(bytes, shift)),
  ];
}

/** The part of a base64 text that depends on these bytes only, where they begin `shift` bytes into a group of three. */
function base64Of(bytes: Buffer, shift: number): string[] {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
  const core = whole.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
}
