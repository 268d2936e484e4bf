// The repository held against its rules. rules.test.ts proves that each rule can fail.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { FAULTS_PAGE, faultsPage, faultTables } from "../../scripts/docs/faults.ts";
import { faultProblems } from "./fault-codes.ts";
import { type Problem, repositoryAt } from "./repository.ts";
import { rules } from "./rules.ts";

const ROOT = join(import.meta.dir, "..", "..");
const repository = repositoryAt(ROOT);

function line({ path, line, text }: Problem): string {
  return `${path}${line === undefined ? "" : `:${line}`}  ${text}`;
}

test("there are files to hold against the rules", () => {
  expect(repository.files.length).toBeGreaterThan(20);
  expect(repository.workspaces.map(({ folder }) => folder)).toContain("orchestrator");
});

for (const rule of rules(ROOT)) {
  test(rule.name, () => {
    expect(rule.check(repository).map(line)).toEqual([]);
  });
}

test("fault codes are unique, explained, and those of docs/faults.md", async () => {
  const tables = await faultTables(ROOT);
  expect(tables.map(({ name }) => name)).toContain("kernel");
  expect(faultProblems(tables, await Bun.file(FAULTS_PAGE).text())).toEqual([]);
});

test("docs/faults.md is what `npm run docs` writes", async () => {
  expect(await Bun.file(FAULTS_PAGE).text()).toBe(faultsPage(await faultTables(ROOT)));
});
