// The state in one number: SHA-256 over every row of the logged tables. Two states with the same digest hold the same rows.
//
//   one line a row, UTF-8, ended by a newline: ["<table>","<key>",<row as it is stored>]
//   tables by their names, rows by their keys, both in code unit order; `key` and `outcome`, which no decision reads, are left out

import type { Log } from "../log/log.ts";
import type { ReplayedRows } from "./replayed-rows.ts";

const PAGE = 1000;

/** Of the rows that a log has materialised: `sha256-` and 64 hex digits. */
export async function digestOfLog(log: Pick<Log, "rows">, tables: readonly string[]): Promise<string> {
  const digest = new StateDigest();
  for (const table of tables.toSorted()) {
    let after: string | undefined;
    do {
      const page = await log.rows(table, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const { key, json } of page) digest.add(table, key, json);
      after = page.length === PAGE ? page.at(-1)?.key : undefined;
    } while (after !== undefined);
  }
  return digest.end();
}

/** Of rows that were replayed. */
export function digestOfReplay(replayed: Pick<ReplayedRows, "rows">, tables: readonly string[]): string {
  const digest = new StateDigest();
  for (const table of tables.toSorted()) {
    const rows = [...replayed.rows(table)].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, row] of rows) digest.add(table, key, JSON.stringify(row));
  }
  return digest.end();
}

class StateDigest {
  readonly #hasher = new Bun.CryptoHasher("sha256");

  add(table: string, key: string, json: string): void {
    this.#hasher.update(`[${JSON.stringify(table)},${JSON.stringify(key)},${json}]\n`);
  }

  end(): string {
    return `sha256-${this.#hasher.digest("hex")}`;
  }
}
