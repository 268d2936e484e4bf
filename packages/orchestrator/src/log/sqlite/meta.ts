// The named values in a log's file, each with its checksum. Their writers define their meaning.

import { damaged, metaSum } from "./checksum.ts";
import type { Statements } from "./statements.ts";

/** `epoch`, `probe` and `first` are numbers; the others are text, and JSON where they are more than a word. */
export type MetaName = "epoch" | "probe" | "log" | "first" | "tables" | "restored" | "checkpoint" | "erasing";

type Access = Pick<Statements, "meta" | "putMeta">;

/** @throws FaultError `LOG_DAMAGED` where the value is missing, or its checksum does not fit */
export function readMeta<T extends string | number>({ meta }: Pick<Access, "meta">, name: MetaName): T {
  const value = findMeta(meta, name);
  if (value === undefined) throw damaged(`the value "${name}"`, "it is gone");
  return value as T;
}

/** @throws FaultError `LOG_DAMAGED` where the checksum does not fit */
export function findMeta(meta: Access["meta"], name: MetaName): string | number | undefined {
  const row = meta.get(name);
  if (row === null) return undefined;
  if (metaSum(name, row.value) !== row.sum) throw damaged(`the value "${name}"`, "the checksum does not fit");
  return row.value;
}

export function writeMeta({ putMeta }: Pick<Access, "putMeta">, name: MetaName, value: string | number): void {
  putMeta.run(name, value, metaSum(name, value));
}
