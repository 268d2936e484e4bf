// Reads a request's body under a limit: nothing beyond it is held in memory, and a body that is not UTF-8 is refused.

import { type Fault, fault } from "../fault/fault.ts";

export interface Bounds {
  /** Asks for so many more bytes; answers a fault where they may not be held. */
  keep(bytes: number): Fault | undefined;
  /** Aborted with a fault: ends the reading and drops what was read. */
  readonly signal: AbortSignal;
}

/** The body's text, or the fault for which it is refused. @param limit in bytes */
export async function readBody(request: Request, limit: number, bounds?: Bounds): Promise<string | Fault> {
  const tooLarge = fault("TOO_LARGE", `a body of more than ${limit} bytes is not taken; send less at a time`);
  if (Number(request.headers.get("content-length") ?? 0) > limit) return tooLarge;
  // One growing buffer: a body may come byte by byte, and an object for each chunk would take a hundred times the memory.
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
