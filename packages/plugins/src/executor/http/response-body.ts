// A response's body, bounded as it comes and again as it is decompressed: what is sent is not what it says it is.

import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from "node:zlib";
import { FaultError, fault } from "@capstan/orchestrator";
import { quote } from "../../registry/quote.ts";
import type { Answer } from "./exchange.ts";
import { unreachable } from "./unreachable.ts";

/** The whole body. @throws FaultError if it is over `maxBytes`, or cannot be decompressed */
export async function wholeBody(
  { response, where }: Answer,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new FaultError(fault("HTTP_RESPONSE_TOO_LARGE", `${where} answered with more than "maxBytes", ${maxBytes}`));
  // An answer to HEAD says how long another's would be.
  if (response.body === null) return new Uint8Array();
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) {
    await response.body.cancel().catch(() => {});
    throw tooLarge();
  }
  const { bytes, cut } = await firstBytes(response, maxBytes, where, signal);
  if (cut) throw tooLarge();
  if (bytes.length === 0) return bytes;
  try {
    return await decompressed(bytes, response.headers.get("content-encoding"), maxBytes);
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    if (thrown instanceof FaultError) throw thrown;
    throw new FaultError(fault("HTTP_RESPONSE_INVALID", `${where}: its body cannot be decompressed`));
  }
}

/** The beginning of what was said, as far as it can be read; for a fault, so it never fails. */
export async function beginningOf({ response, where }: Answer, most: number, signal: AbortSignal): Promise<string> {
  try {
    const { bytes } = await firstBytes(response, most, where, signal);
    return new TextDecoder().decode(await decompressed(bytes, response.headers.get("content-encoding"), most));
  } catch {
    return "";
  }
}

async function firstBytes(response: Response, most: number, where: string, signal: AbortSignal) {
  // In one piece: who answers byte by byte would have an object kept for each.
  const bytes = new Bun.ArrayBufferSink();
  bytes.start({ asUint8Array: true });
  let length = 0;
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (done) break;
      const kept = value.subarray(0, most - length);
      bytes.write(kept);
      length += kept.length;
      if (kept.length === value.length) continue;
      await reader.cancel().catch(() => {});
      return { bytes: bytes.end() as Uint8Array, cut: true };
    }
  } catch (thrown) {
    signal.throwIfAborted();
    throw new FaultError(unreachable(thrown, where));
  }
  return { bytes: bytes.end() as Uint8Array, cut: false };
}

type Decompress = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, result: Uint8Array) => void,
) => void;

async function decompressed(bytes: Uint8Array, encoding: string | null, most: number): Promise<Uint8Array> {
  const by = (decompress: Decompress): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      decompress(bytes, { maxOutputLength: most }, (error, result) =>
        error === null ? resolve(result) : reject(error),
      );
    });
  switch (encoding?.trim().toLowerCase() ?? "") {
    case "":
    case "identity":
      return bytes;
    case "gzip":
    case "x-gzip":
      return by(gunzip);
    case "deflate":
      // RFC 9110 §8.4.1.2: some send it without the zlib wrapper.
      return ((bytes[0] as number) & 0x0f) === 8 ? by(inflate) : by(inflateRaw);
    case "br":
      return by(brotliDecompress);
    case "zstd":
      return by(zstdDecompress);
    default:
      throw new FaultError(
        fault("HTTP_RESPONSE_INVALID", `its body is encoded as ${quote(encoding ?? "")}, which is unknown here`),
      );
  }
}
