// Lists of principals and grants, by pages. Credentials are never told, not even their digests.

import type { Envelope, Reader } from "@capstan/orchestrator";
import { grantTable, principalTable } from "./schema.ts";

const PAGE = 100;

interface Page {
  readonly after?: string;
  readonly limit?: number;
}

export function answerPrincipals(envelope: Envelope, reader: Reader) {
  const page = envelope.message.data as Page;
  const rows = [...reader.rows(principalTable)].map(([, row]) => row);
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  return paged(
    rows.filter(({ name }) => page.after === undefined || name > page.after),
    page.limit,
    ({ name }) => name,
  );
}

export function answerGrants(envelope: Envelope, reader: Reader) {
  const page = envelope.message.data as Page & { readonly principal?: string };
  const rows = [...reader.rows(grantTable)].map(([, row]) => row);
  rows.sort((a, b) => numberOf(a.id) - numberOf(b.id));
  const wanted = rows.filter(
    ({ id, principal }) =>
      (page.after === undefined || numberOf(id) > numberOf(page.after)) &&
      (page.principal === undefined || principal === page.principal),
  );
  return paged(wanted, page.limit, ({ id }) => id);
}

function numberOf(id: string): number {
  return Number(id.slice(2));
}

/** At most `limit` rows, and the cursor to ask for the rest with. */
function paged<Row>(rows: readonly Row[], limit = PAGE, cursor: (row: Row) => string) {
  // Copies: the rows are the state itself, and whoever embeds the orchestrator gets what is answered here.
  const items = rows.slice(0, limit).map((row) => structuredClone(row));
  const last = items[items.length - 1];
  return { items, ...(rows.length > limit && last !== undefined ? { next: cursor(last) } : {}) };
}
