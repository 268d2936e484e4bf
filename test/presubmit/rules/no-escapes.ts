// STYLE: types flow by inference. `any` and a silenced compiler are holes that nobody sees again; tests may have them,
// because a test also says what must not compile.

import type { Problem, Rule } from "../repository.ts";
import { lineAt } from "../source-file.ts";

export const noEscapes: Rule = {
  name: "no any and no silenced compiler outside tests",
  check(repository) {
    const problems: Problem[] = [];
    for (const { path, text, code, isTest } of repository.files) {
      for (const error of code?.syntaxErrors ?? []) problems.push({ path, text: `does not parse: ${error}` });
      if (code === undefined || isTest) continue;
      for (const node of code.nodes) {
        if (node.type === "TSAnyKeyword") problems.push({ path, line: lineAt(text, node.start), text: "any" });
      }
      for (const comment of code.comments) {
        const silenced = /^[\s*]*(@ts-(?:ignore|expect-error|nocheck))/.exec(comment.value)?.[1];
        if (silenced !== undefined) problems.push({ path, line: lineAt(text, comment.start), text: silenced });
      }
    }
    return problems;
  },
};
