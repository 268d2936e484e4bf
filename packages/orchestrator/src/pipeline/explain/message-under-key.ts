// Which message a caller's key, or a request, led to: for those who have that alone, because no answer came that named the message.

import type { Reader } from "../../plugin/reader.ts";
import { KEY_TABLE, type KeyRow } from "../kernel-tables.ts";
import { keyRowKeys, requestRowKey } from "../keys.ts";

/** Its id, as of the durable head; `undefined` where that principal used no such key, or its entry was compacted away. */
export async function messageUnderKey(reader: Reader, principal: string, key: string): Promise<string | undefined> {
  return firstOf(reader, keyRowKeys(principal, key));
}

/** Of what is done here for a request of other nodes', whoever brought it first. */
export async function messageOfRequest(reader: Reader, request: string): Promise<string | undefined> {
  return firstOf(reader, [requestRowKey(request)]);
}

async function firstOf(reader: Reader, rowKeys: readonly string[]): Promise<string | undefined> {
  let stored: string | undefined;
  for (const rowKey of rowKeys) stored ??= await reader.cold(KEY_TABLE, rowKey);
  if (stored === undefined) return undefined;
  const { id, seq } = JSON.parse(stored) as KeyRow;
  return seq < reader.first ? undefined : id;
}
