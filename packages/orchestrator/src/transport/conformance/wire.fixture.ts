// What the conformance suite has to be given of a transport: how it is listened on, a stock client over it, and peers that are none.

// biome-ignore-all lint/suspicious/noExplicitAny: a stock client is a Proxy, and frames are whatever arrives.

import type { Arrival } from "../link.ts";

export interface Wire {
  readonly name: string;
  listen(arrived: (connection: { terminate(): void }) => Arrival): Promise<Listening>;
  /** What is no frame, by what it is called. */
  readonly garbage: readonly (readonly [name: string, send: (peer: Peer) => Promise<unknown>])[];
}

export interface Listening {
  /** Of what has one. */
  readonly port?: number;
  readonly url?: string;
  /** The public object, as a client of ours has it. */
  main(callbacks?: unknown): any;
  peer(): Promise<Peer>;
  /** Sends frames and never reads. Answers how to let it go. */
  deaf(frames: readonly string[]): Promise<() => void>;
  /** As a node that stops. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/** A peer that is no capnweb client and sends what it is told. */
export interface Peer {
  readonly frames: any[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(...frames: string[]): Promise<this>;
  heard(wanted: (frame: any) => boolean): Promise<any>;
  /** Whatever either side has sent is there. */
  roundTrip(): Promise<void>;
  readonly abort: any;
  /** Says that it has nothing more to say. */
  leave(): void;
  /** Without a word. */
  vanish(): void;
}

/** What peers of every transport do with the frames that they get. */
export class Heard {
  readonly frames: any[] = [];
  #heard = Promise.withResolvers<void>();

  got(text: string): void {
    this.frames.push(JSON.parse(text));
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  async heard(wanted: (frame: any) => boolean): Promise<any> {
    for (;;) {
      const frame = this.frames.find(wanted);
      if (frame) return frame;
      await this.#heard.promise;
    }
  }

  get abort(): any {
    return this.frames.find((frame) => frame[0] === "abort");
  }
}
