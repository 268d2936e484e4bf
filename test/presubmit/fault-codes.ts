// Fault codes against each other and against docs/faults.md, in both directions: a code means one thing, and none is
// undocumented, or documented and gone.

export interface Table {
  readonly name: string;
  readonly path: string;
  readonly rows: Readonly<Record<string, { readonly status: number; readonly text?: string }>>;
}

/** What is wrong with the tables, and between them and the page; empty where all is well. */
export function faultProblems(tables: readonly Table[], page: string): string[] {
  const problems: string[] = [];
  const owner = new Map<string, string>();
  for (const { name, rows } of tables) {
    for (const [code, { status, text }] of Object.entries(rows)) {
      const other = owner.get(code);
      if (other !== undefined) problems.push(`${code} is declared by ${other} and by ${name}`);
      owner.set(code, name);
      if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(code)) problems.push(`${code} is not upper snake case`);
      if (!Number.isInteger(status) || status < 400 || status > 599)
        problems.push(`${code} has the HTTP status ${status}`);
      if (text === undefined || text.trim() === "")
        problems.push(`${code} has no text: when is it given, what is one to do?`);
    }
  }
  const documented = new Set([...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] as string));
  for (const code of owner.keys()) if (!documented.has(code)) problems.push(`${code} is not in docs/faults.md`);
  for (const code of documented) if (!owner.has(code)) problems.push(`${code} is in docs/faults.md and in no table`);
  return problems;
}
