// What one side of a link says, read on its way through the proxy: the text messages of its WebSocket (RFC 6455 §5.2), and in those the
// updates of a peering session. However updates are packed into calls, they are objects of that type, or texts of one.

const HEAD_END = "\r\n\r\n";
const TEXT = 1;
const BINARY = 2;

export interface SaidUpdate {
  readonly withdrawn: readonly string[];
  readonly announced: number;
}

export class FrameTap {
  readonly #update: (update: SaidUpdate) => void;
  #rest: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #message: Buffer[] = [];
  #opcode = 0;

  constructor(update: (update: SaidUpdate) => void) {
    this.#update = update;
  }

  push(chunk: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const end = this.#rest.indexOf(HEAD_END);
      if (end === -1) return;
      this.#upgraded = true;
      this.#rest = this.#rest.subarray(end + HEAD_END.length);
    }
    for (let length = this.#frame(); length > 0; length = this.#frame()) this.#rest = this.#rest.subarray(length);
  }

  /** Bytes of the frame that the rest begins with; 0 where it is not whole yet. */
  #frame(): number {
    const bytes = this.#rest;
    const [first, second] = bytes;
    if (first === undefined || second === undefined) return 0;
    let size = second & 0x7f;
    let at = 2;
    if (size === 126) {
      if (bytes.length < 4) return 0;
      size = bytes.readUInt16BE(2);
      at = 4;
    } else if (size === 127) {
      if (bytes.length < 10) return 0;
      size = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    const masked = (second & 0x80) !== 0;
    const mask = masked ? bytes.subarray(at, at + 4) : undefined;
    if (masked) at += 4;
    if (bytes.length < at + size) return 0;
    const payload = Buffer.from(bytes.subarray(at, at + size));
    if (mask !== undefined)
      for (let i = 0; i < size; i++) payload[i] = (payload[i] as number) ^ (mask[i & 3] as number);
    this.#part(first, payload);
    return at + size;
  }

  #part(first: number, payload: Buffer): void {
    const opcode = first & 0x0f;
    // Pings, pongs and closes may come between the parts of a message.
    if (opcode > BINARY) return;
    if (opcode !== 0) this.#opcode = opcode;
    this.#message.push(payload);
    if ((first & 0x80) === 0) return;
    const message = Buffer.concat(this.#message).toString("utf8");
    this.#message = [];
    if (this.#opcode === TEXT && message.includes("update")) for (const one of updatesIn(message)) this.#update(one);
  }
}

/** Updates in a text message. */
export function updatesIn(text: string): SaidUpdate[] {
  const found: SaidUpdate[] = [];
  walk(parsed(text), found);
  return found;
}

function walk(value: unknown, found: SaidUpdate[]): void {
  if (typeof value === "string" && value.startsWith("{") && value.includes('"update"')) walk(parsed(value), found);
  if (typeof value !== "object" || value === null) return;
  const { type, withdraw, announce } = value as { type?: unknown; withdraw?: unknown; announce?: unknown };
  if (type === "update" && withdraw !== undefined) {
    found.push({ withdrawn: names(withdraw), announced: Object.keys(items(announce)).length });
    return;
  }
  for (const one of Object.values(value)) walk(one, found);
}

/** capnweb writes a list as a list in a list. */
function items(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [];
  return value.length === 1 && Array.isArray(value[0]) ? value[0] : value;
}

function names(value: unknown): string[] {
  return items(value).flatMap((one) => (typeof one === "string" ? [one] : names(one)));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
