// DESIGN §7: which package may know of which. What lies below never imports what lies above, not even its types, and not
// even in a test: a test of both belongs in test/.

import { leadsTo, moduleSpecifiers } from "../module-specifiers.ts";
import { type Problem, packageSources, type Repository, type Rule } from "../repository.ts";

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  orchestrator: [],
  peer: [],
  plugins: ["orchestrator", "peer"],
  cli: ["orchestrator", "peer", "plugins"],
};

export const importDirection: Rule = {
  name: "packages import only what lies below them",
  check(repository) {
    return [...imports(repository), ...declarations(repository)];
  },
};

function imports(repository: Repository): Problem[] {
  const problems: Problem[] = [];
  for (const file of packageSources(repository)) {
    const from = file.path.split("/")[1] as string;
    const allowed = MAY_IMPORT[from];
    if (allowed === undefined) {
      problems.push({ path: file.path, text: `package "${from}" has no place in the order; give it one in this rule` });
      continue;
    }
    for (const { specifier, line } of moduleSpecifiers(file)) {
      const to = leadsTo(file, specifier);
      if (to === undefined || to === from || allowed.includes(to)) continue;
      problems.push({ path: file.path, line, text: `${from} imports ${to} ("${specifier}")` });
    }
  }
  return problems;
}

function declarations(repository: Repository): Problem[] {
  return repository.workspaces.flatMap(({ folder, dependencies }) =>
    dependencies
      .filter((name) => name.startsWith("@capstan/"))
      .map((name) => name.slice("@capstan/".length))
      .filter((to) => MAY_IMPORT[folder] !== undefined && !MAY_IMPORT[folder].includes(to))
      .map((to) => ({ path: `packages/${folder}/package.json`, text: `${folder} depends on ${to}` })),
  );
}
