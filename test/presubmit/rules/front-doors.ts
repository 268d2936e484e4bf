// DESIGN §7: one front door each. Another package, a bench, an example or a test of several packages sees what `exports`
// shows and nothing behind it; what is behind may then change freely.

import { leadsTo, moduleSpecifiers } from "../module-specifiers.ts";
import { type Problem, type Rule, workspaceOfPath } from "../repository.ts";

export const frontDoors: Rule = {
  name: "another package is imported through its exports only",
  check(repository) {
    const problems: Problem[] = [];
    for (const file of repository.files) {
      const from = workspaceOfPath(file.path);
      for (const { specifier, line } of moduleSpecifiers(file)) {
        const to = leadsTo(file, specifier);
        if (to === undefined) continue;
        const at = { path: file.path, line };
        if (specifier.startsWith(".")) {
          if (to !== from) problems.push({ ...at, text: `"${specifier}" goes around the front door of ${to}` });
          continue;
        }
        const target = repository.workspaces.find(({ name }) => name === `@capstan/${to}`);
        const door = `.${specifier.slice(`@capstan/${to}`.length)}`;
        if (target === undefined) problems.push({ ...at, text: `there is no package "@capstan/${to}"` });
        else if (to === from) problems.push({ ...at, text: `"${specifier}" is this package itself; import the file` });
        else if (!target.exports.includes(door))
          problems.push({ ...at, text: `"${specifier}" is not in the exports of ${to}` });
      }
    }
    return problems;
  },
};
