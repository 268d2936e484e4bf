// One stream of an iroh connection as a link, on either side: frames with their lengths, as few writes as can be, heartbeats, and an
// end that lets what was sent arrive. What iroh calls by whatever name, here has become a close code and a reason.

import { FaultError } from "../../fault/fault.ts";
import type { Timers } from "../../time/timers.ts";
import { CLOSE_ABNORMAL, CLOSE_NORMAL, CLOSE_POLICY, type DialledLink, type LinkReceiver } from "../link.ts";
import type { BiStream, Connection } from "./addon.ts";
import { irohReason } from "./addon.ts";
import { FrameQueue, FrameReader, HEARTBEAT } from "./framing.ts";
import { Heartbeat } from "./heartbeat.ts";

/** A number of an array takes eight times its byte: so much of a large frame at a time. */
const WRITE_BYTES = 256 * 1024;
const READ_BYTES = 64 * 1024;
/** How long the other side has to take what was sent last, and to say that it is over. */
const DRAIN_MS = 3_000;

export interface StreamLinkOptions {
  readonly connection: Connection;
  readonly stream: BiStream;
  readonly timers: Timers;
  /** Whether so large a frame is to be waited for; throws a FaultError where it is not. */
  readonly arriving: (bytes: number) => void;
}

interface Ending {
  readonly code: number;
  readonly reason: string;
}

export class StreamLink implements DialledLink {
  readonly #connection: Connection;
  readonly #stream: BiStream;
  readonly #timers: Timers;
  readonly #arriving: (bytes: number) => void;
  readonly #queue = new FrameQueue();
  readonly #heartbeat: Heartbeat;
  #receiver: LinkReceiver | undefined;
  /** Bytes that iroh has been given and not taken. */
  #writing = 0;
  #draining: Promise<void> | undefined;
  #reading: Promise<void> | undefined;
  readonly #over = Promise.withResolvers<void>();
  /** That this side has said all, and why. */
  #goodbye: Ending | undefined;
  /** Where the next frame begins is not known any more; whoever receives ends it. */
  #lost = false;
  /** The receiver was told. */
  #ended: Ending | undefined;

  constructor({ connection, stream, timers, arriving }: StreamLinkOptions) {
    this.#connection = connection;
    this.#stream = stream;
    this.#timers = timers;
    this.#arriving = arriving;
    this.#heartbeat = new Heartbeat({
      timers,
      beat: () => this.#beat(),
      gone: () => this.#cut(broken("the other side is silent")),
    });
    const over = async (): Promise<void> => {
      const ending = this.#goodbye ?? closeOf(connection.closeReason());
      // What came before the end is still to be read.
      await this.#reading;
      this.#end(ending);
      this.#over.resolve();
    };
    connection.closed().then(over, over);
  }

  /** Resolves when the connection has ended, and whoever receives has been told. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  carry(receiver: LinkReceiver): void {
    if (this.#ended !== undefined) {
      receiver.closed(this.#ended.code, this.#ended.reason);
      return;
    }
    this.#receiver = receiver;
    this.#reading = this.#read(receiver);
  }

  send(frames: readonly string[]): boolean {
    // Whoever sends is told of the end, or asked for it.
    if (this.#goodbye || this.#ended) return true;
    for (const frame of frames) this.#queue.push(frame);
    this.#draining ??= this.#drain();
    return true;
  }

  get unsent(): number {
    return this.#queue.bytes + this.#writing;
  }

  close(code: number, reason: string): void {
    if (this.#goodbye || this.#ended) return;
    this.#queue.pushGoodbye(code, reason);
    this.#draining ??= this.#drain();
    this.#finish({ code, reason });
  }

  terminate(): void {
    this.#cut({ code: CLOSE_POLICY, reason: "" });
  }

  async #drain(): Promise<void> {
    // What is sent in one turn of the microtasks leaves in one write: eight times as many calls (LIBRARIES.md).
    await undefined;
    try {
      while (this.#queue.bytes > 0 && !this.#ended) {
        const bytes = this.#queue.take(WRITE_BYTES);
        this.#writing = bytes.length;
        await this.#stream.send.writeAll(bytes);
        this.#writing = 0;
      }
    } catch {
      // Where the connection is over, its `closed` tells, once what had come is read; else this stream is not taken any more.
      if (this.#connection.closeReason() === null) this.#cut(broken("the other side takes nothing any more"));
    } finally {
      this.#draining = undefined;
    }
  }

  /** What is being written says as much. */
  #beat(): void {
    if (this.#draining === undefined) this.send([HEARTBEAT]);
  }

  async #read(receiver: LinkReceiver): Promise<void> {
    const { recv } = this.#stream;
    const reader = new FrameReader({
      arriving: this.#arriving,
      received: (frame) => {
        if (!this.#ended) receiver.received(frame);
      },
      goodbye: (code, reason) => this.#understood({ code, reason }),
    });
    try {
      for (;;) {
        const bytes = await recv.read(READ_BYTES);
        // Its answer to our goodbye, or it has left without one.
        if (bytes.length === 0) break;
        if (this.#ended) return;
        this.#heartbeat.heard();
        // Who was told that it is over may go on for a moment: nobody listens.
        if (this.#goodbye === undefined && !this.#lost) this.#take(reader, bytes, receiver);
      }
      this.#cut(this.#goodbye ?? { code: CLOSE_NORMAL, reason: "" });
    } catch (thrown) {
      // The connection is over, which its `closed` tells, or the other side has cut the stream off.
      if (this.#connection.closeReason() === null) this.#cut(broken(irohReason(thrown)));
    }
  }

  #take(reader: FrameReader, bytes: readonly number[], receiver: LinkReceiver): void {
    try {
      reader.read(bytes);
    } catch (thrown) {
      if (!(thrown instanceof FaultError)) throw thrown;
      this.#lost = true;
      receiver.invalid(thrown.toFault());
    }
  }

  /** This side has said all; the other one answers with the end of its own, or is not waited for. */
  #finish(ending: Ending): void {
    this.#goodbye = ending;
    const cancel = this.#timers.after(DRAIN_MS, () => this.#cut(ending));
    this.#connection.closed().then(cancel, cancel);
    const finish = async (): Promise<void> => {
      await this.#draining;
      await this.#stream.send.finish();
    };
    // Where that fails, the connection is over.
    finish().catch(() => {});
  }

  /**
   * The answer is the end of our side, and not of the connection: what that says is lost where an endpoint is closed right behind it,
   * and whoever said goodbye closes the connection.
   */
  #understood(ending: Ending): void {
    this.#end(ending);
    if (this.#goodbye === undefined) this.#finish(ending);
  }

  #cut(ending: Ending): void {
    this.#connection.close(BigInt(ending.code), [...Buffer.from(ending.reason)]);
    this.#end(ending);
  }

  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = ending;
    this.#heartbeat.stop();
    this.#receiver?.closed(ending.code, ending.reason);
  }
}

function broken(reason: string): Ending {
  return { code: CLOSE_ABNORMAL, reason };
}

/** `closed by peer: STOPPING (code 1001)`; anything else is none of our closings. */
function closeOf(said: string | null): Ending {
  const [, reason, code] = /^closed by peer: ?(.*) ?\(code (\d+)\)$/s.exec(said ?? "") ?? [];
  if (code === undefined) return broken(irohReason(said ?? "the connection is over"));
  return { code: Number(code), reason: (reason as string).trim() };
}
