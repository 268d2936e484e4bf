// docs/faults.md: every code that a caller can get, out of the fault tables themselves. Run it (`npm run docs`) to write
// the page; presubmit fails while page and tables differ. A table is an exported constant named `…Faults` in a package.

import { join } from "node:path";

export interface FaultRow {
  readonly status: number;
  readonly retryable: boolean;
  readonly text?: string;
}

export interface NamedTable {
  /** `kernel` of `kernelFaults`. */
  readonly name: string;
  /** The file that it is declared in, relative to the root. */
  readonly path: string;
  readonly rows: Readonly<Record<string, FaultRow>>;
}

const ROOT = join(import.meta.dir, "..", "..");
export const FAULTS_PAGE = join(ROOT, "docs", "faults.md");
const DECLARED = /^export const (\w+)Faults\b/gm;

/** All tables, the kernel's first, then by name. */
export async function faultTables(root = ROOT): Promise<NamedTable[]> {
  const tables: NamedTable[] = [];
  for (const path of new Bun.Glob("packages/*/src/**/*.ts").scanSync(root)) {
    if (path.includes("node_modules") || path.endsWith(".test.ts")) continue;
    const names = [...(await Bun.file(join(root, path)).text()).matchAll(DECLARED)].map((match) => match[1] as string);
    if (names.length === 0) continue;
    const exported = await import(join(root, path));
    for (const name of names) tables.push({ name: kebab(name), path, rows: exported[`${name}Faults`] });
  }
  const rank = (table: NamedTable) => (table.name === "kernel" ? "" : table.name);
  return tables.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** The page's text. */
export function faultsPage(tables: readonly NamedTable[]): string {
  const head = [
    "# Faults",
    "",
    "<!-- Written by `npm run docs` from the fault tables; a test keeps both equal. -->",
    "",
    "What a refusal or a failure can say. `code` is stable: narrow on it and on nothing else. *HTTP* is the status that a",
    "door answers with; *again* says whether the same call, unchanged, may succeed later.",
  ];
  return `${[...head, ...tables.flatMap(section)].join("\n")}\n`;
}

function section({ name, rows }: NamedTable): string[] {
  const lines = Object.entries(rows).map(
    ([code, { status, retryable, text }]) =>
      `| \`${code}\` | ${status} | ${retryable ? "yes" : "no"} | ${(text ?? "").replaceAll("|", "\\|")} |`,
  );
  return [
    "",
    `## ${name}`,
    "",
    "| code | HTTP | again | when, and what to do |",
    "| --- | --- | --- | --- |",
    ...lines,
  ];
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

if (import.meta.main) {
  const tables = await faultTables();
  await Bun.write(FAULTS_PAGE, faultsPage(tables));
  console.log(`docs/faults.md: ${tables.reduce((sum, { rows }) => sum + Object.keys(rows).length, 0)} codes`);
}
