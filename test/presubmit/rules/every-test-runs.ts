// A skipped test is a hole with a green tick, and `only` skips all others. What cannot run here is not written as a test;
// but a conformance suite shows what an implementation leaves out, by a skip with its reason, and the seeds' sentences show what
// is not built yet.

import type { Rule } from "../repository.ts";
import { dottedName, lineAt } from "../source-file.ts";

const CHAINED = /^(test|it|describe|suite)\b.*\.(skip|only|todo|failing|skipIf|todoIf|if)\b/;
const CONFORMANCE = /\/conformance[\w-]*\.ts$/;
const SEEDS = /^test\/seeds\/[\w-]+\.test\.ts$/;
const NAMED = /^(xtest|xit|xdescribe|fit|fdescribe)$/;

export const everyTestRuns: Rule = {
  name: "no test is skipped, focused or to be done",
  check(repository) {
    return repository.files.flatMap((file) =>
      (file.code?.nodes ?? []).flatMap((node) => {
        if (node.type !== "MemberExpression" && node.type !== "CallExpression") return [];
        const name = node.type === "CallExpression" ? dottedName(node.callee) : dottedName(node);
        const broken = node.type === "CallExpression" ? NAMED : CHAINED;
        if (name === undefined || !broken.test(name)) return [];
        if (name === "test.skip" && CONFORMANCE.test(file.path)) return [];
        if (name === "test.todo" && SEEDS.test(file.path)) return [];
        return [{ path: file.path, line: lineAt(file.text, node.start), text: name }];
      }),
    );
  },
};
