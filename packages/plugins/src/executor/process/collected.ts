// What a program writes, read as it comes: all of it up to a bound, or the end of it. Nothing more is ever held.

type Output = ReadableStream<Uint8Array<ArrayBuffer>>;

export interface Collected {
  /** Resolves at its end, or once it was stopped. */
  readonly ended: Promise<void>;
  /** To be asked once. */
  bytes(): Uint8Array;
  /** What was read stays; whoever still writes gets a broken pipe. */
  stop(): void;
}

/** Up to `most` bytes; at the first one more `over` is called, and nothing more is read. */
export function collectAll(output: Output, most: number, over: () => void): Collected {
  // In one piece: a program that writes byte by byte would have an object kept for each.
  const all = new Bun.ArrayBufferSink();
  all.start({ asUint8Array: true });
  let length = 0;
  return collect(output, {
    take(chunk) {
      if (length + chunk.length > most) {
        over();
        return false;
      }
      all.write(chunk);
      length += chunk.length;
      return true;
    },
    bytes: () => all.end() as Uint8Array,
  });
}

/** The last `most` bytes. */
export function collectEnd(output: Output, most: number): Collected {
  let end: Uint8Array = new Uint8Array();
  return collect(output, {
    take(chunk) {
      end = Buffer.concat([end, chunk.subarray(-most)]).subarray(-most);
      return true;
    },
    bytes: () => end,
  });
}

function collect(output: Output, into: { take(chunk: Uint8Array): boolean; bytes(): Uint8Array }): Collected {
  const reader = output.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  const read = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (!into.take(value)) return stop();
    }
  };
  return { ended: read().catch(() => {}), bytes: into.bytes, stop };
}
