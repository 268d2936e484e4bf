// Frames on a stream of bytes: a length of four bytes, the most significant first, and so many bytes of UTF-8. A length of
// nothing is a heartbeat; with the highest bit of the length set it is a goodbye: a code of two bytes and a reason. iroh takes and gives bytes as arrays of numbers, so that is what is made and read here.

import { FaultError, fault } from "../../fault/fault.ts";

const HEAD_BYTES = 4;

/** No frame to whoever reads: it says that its sender is there. */
export const HEARTBEAT = "";

const GOODBYE = 0x8000_0000;
const CODE_BYTES = 2;
/** As a WebSocket has it (RFC 6455 §5.5). */
const REASON_BYTES = 123;

/** Frames on their way out, as bytes, in pieces of whatever size is asked for. */
export class FrameQueue {
  #frames: Uint8Array[] = [];
  #head = 0;
  /** Of the first frame, how much has been taken. */
  #taken = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(text: string): void {
    const length = Buffer.byteLength(text);
    const frame = Buffer.allocUnsafe(HEAD_BYTES + length);
    frame.writeUInt32BE(length);
    frame.write(text, HEAD_BYTES);
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  /** The last of all. */
  pushGoodbye(code: number, reason: string): void {
    const text = Buffer.from(reason).subarray(0, REASON_BYTES);
    const frame = Buffer.alloc(HEAD_BYTES + CODE_BYTES);
    frame.writeUInt32BE(GOODBYE + CODE_BYTES + text.length);
    frame.writeUInt16BE(code, HEAD_BYTES);
    this.#frames.push(Buffer.concat([frame, text]));
    this.#bytes += frame.length + text.length;
  }

  /** The next bytes, `most` at most; none where nothing waits. */
  take(most: number): number[] {
    const size = Math.min(most, this.#bytes);
    // `Array.from` takes ten times as long.
    const piece = new Array<number>(size);
    for (let at = 0; at < size; ) {
      const frame = this.#frames[this.#head] as Uint8Array;
      const until = Math.min(frame.length, this.#taken + size - at);
      for (let from = this.#taken; from < until; from++) piece[at++] = frame[from] as number;
      this.#taken = until;
      if (until < frame.length) continue;
      this.#frames[this.#head++] = EMPTY;
      this.#taken = 0;
    }
    this.#bytes -= size;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    }
    return piece;
  }
}

const EMPTY = new Uint8Array(0);

export interface FrameReaderOptions {
  /** Told of a frame's bytes before any of them is kept; throws where they are not to be waited for. */
  readonly arriving: (bytes: number) => void;
  readonly received: (frame: string) => void;
  /** The other side says that it is over, and why. */
  readonly goodbye: (code: number, reason: string) => void;
}

/** Finds the frames in bytes that come in whatever pieces. What is claimed and not there yet costs nothing. */
export class FrameReader {
  readonly #options: FrameReaderOptions;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headLength = 0;
  #pieces: Uint8Array[] = [];
  /** Of the frame that is being read: how many bytes are still to come. */
  #missing = 0;
  #isGoodbye = false;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /** @throws FaultError FRAME_INVALID, and what `arriving` throws */
  read(bytes: ArrayLike<number>): void {
    const all = new Uint8Array(bytes);
    for (let at = 0; at < all.length; ) {
      if (this.#headLength < HEAD_BYTES) {
        this.#head[this.#headLength++] = all[at++] as number;
        if (this.#headLength === HEAD_BYTES) this.#begin();
        continue;
      }
      const piece = all.subarray(at, at + this.#missing);
      at += piece.length;
      this.#missing -= piece.length;
      this.#pieces.push(piece);
      if (this.#missing === 0) this.#end();
    }
  }

  #begin(): void {
    const length = new DataView(this.#head.buffer).getUint32(0);
    if (length === 0) {
      this.#headLength = 0;
      return;
    }
    this.#isGoodbye = length >= GOODBYE;
    this.#missing = this.#isGoodbye ? length - GOODBYE : length;
    if (!this.#isGoodbye) this.#options.arriving(length);
    else if (this.#missing < CODE_BYTES || this.#missing > CODE_BYTES + REASON_BYTES)
      throw new FaultError(fault("FRAME_INVALID", "a goodbye is a code and a reason"));
  }

  #end(): void {
    const [only, ...more] = this.#pieces;
    const frame = (more.length === 0 ? only : Buffer.concat(this.#pieces)) as Uint8Array;
    this.#pieces = [];
    this.#headLength = 0;
    if (!this.#isGoodbye) {
      this.#options.received(this.#text(frame));
      return;
    }
    const [high = 0, low = 0] = frame;
    this.#options.goodbye(high * 256 + low, this.#text(frame.subarray(CODE_BYTES)));
  }

  #text(frame: Uint8Array): string {
    try {
      return this.#decoder.decode(frame);
    } catch {
      throw new FaultError(fault("FRAME_INVALID", "a frame is not UTF-8"));
    }
  }
}
