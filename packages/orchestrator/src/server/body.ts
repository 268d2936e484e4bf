// A request's body under a limit: nothing beyond it is ever in memory, and what is not UTF-8 is not guessed at.

import { type Fault, fault } from "../fault/fault.ts";

/** The text, or why it is not taken. `limit` in bytes. */
export async function readBody(request: Request, limit: number): Promise<string | Fault> {
  const tooLarge = fault("TOO_LARGE", `a body of more than ${limit} bytes is not taken; send less at a time`);
  if (Number(request.headers.get("content-length") ?? 0) > limit) return tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) return tooLarge;
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    return fault("FRAME_INVALID", "the body is not UTF-8");
  }
}
