// Rows in columns, two spaces between them; the last column is as wide as it is.

import { shown } from "./shown.ts";

/** Every cell is escaped. No line ends in spaces, and a column that nobody has anything in is none. */
export function columns(rows: readonly (readonly (string | number | undefined)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => shown(String(cell ?? ""))));
  const widths: number[] = [];
  for (const row of cells) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, Bun.stringWidth(cell));
    });
  }
  return cells
    .map(
      (row) =>
        `${row
          .flatMap((cell, at) => (widths[at] === 0 ? [] : [padded(cell, widths[at] as number)]))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function padded(cell: string, width: number): string {
  return cell + " ".repeat(width - Bun.stringWidth(cell));
}

/** The last instant that a date may be (ECMAScript §21.4.1.1). */
const LAST = 8.64e15;

/** `2026-11-21T02:20:07Z`; nothing for what is no instant. */
export function instant(at: unknown): string {
  return typeof at === "number" && Math.abs(at) <= LAST ? new Date(at).toISOString().replace(/\.\d+Z$/, "Z") : "";
}

/** `3.1 ms` */
export function milliseconds(duration: number): string {
  return `${duration.toFixed(1)} ms`;
}
