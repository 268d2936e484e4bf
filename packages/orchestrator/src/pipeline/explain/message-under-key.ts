// Which message a caller's key led to: for those who have the key alone, because no answer came that named the message.

import type { Reader } from "../../plugin/reader.ts";
import { KEY_TABLE, type KeyRow } from "../kernel-tables.ts";
import { keyRowKeys } from "../keys.ts";

/** Its id, as of the durable head; `undefined` where that principal used no such key, or its entry was compacted away. */
export async function messageUnderKey(reader: Reader, principal: string, key: string): Promise<string | undefined> {
  let stored: string | undefined;
  for (const rowKey of keyRowKeys(principal, key)) stored ??= await reader.cold(KEY_TABLE, rowKey);
  if (stored === undefined) return undefined;
  const { id, seq } = JSON.parse(stored) as KeyRow;
  return seq < reader.first ? undefined : id;
}
