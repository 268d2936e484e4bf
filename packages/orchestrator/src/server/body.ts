// A request's body under a limit: nothing beyond it is ever in memory, and what is not UTF-8 is not guessed at.

import { type Fault, fault } from "../fault/fault.ts";

export interface Bounds {
  /** Whether so many bytes more may be kept; or why not. */
  keep(bytes: number): Fault | undefined;
  /** Ends the reading, with the fault that is its reason; what came is let go. */
  readonly signal: AbortSignal;
}

/** The text, or why it is not taken. `limit` in bytes. */
export async function readBody(request: Request, limit: number, bounds?: Bounds): Promise<string | Fault> {
  const tooLarge = fault("TOO_LARGE", `a body of more than ${limit} bytes is not taken; send less at a time`);
  if (Number(request.headers.get("content-length") ?? 0) > limit) return tooLarge;
  // In one piece: a body may come byte by byte, and an object for each would be a hundred times as much.
  const body = new Bun.ArrayBufferSink();
  body.start({ asUint8Array: true });
  let size = 0;
  const reader = request.body?.getReader();
  const stop = (): void => void reader?.cancel().catch(() => {});
  bounds?.signal.addEventListener("abort", stop);
  try {
    for (;;) {
      const read = await reader?.read();
      if (bounds?.signal.aborted) return bounds.signal.reason as Fault;
      if (read === undefined || read.done) break;
      size += read.value.byteLength;
      if (size > limit) return tooLarge;
      const refused = bounds?.keep(read.value.byteLength);
      if (refused !== undefined) return refused;
      body.write(read.value);
    }
  } finally {
    bounds?.signal.removeEventListener("abort", stop);
    stop();
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body.end() as Uint8Array);
  } catch {
    return fault("FRAME_INVALID", "the body is not UTF-8");
  }
}
