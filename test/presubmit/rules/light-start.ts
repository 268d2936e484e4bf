// ADR 0033: what the command line loads to read a command line, and to ask a node, is its grammar and its client. The kernel, the plugins
// and schemas are loaded by the command that works with them, once it runs: whoever asks a node waits for none of them.

import { posix } from "node:path";
import { leadsTo, moduleSpecifiers } from "../module-specifiers.ts";
import type { Problem, Repository, Rule } from "../repository.ts";
import type { SourceFile } from "../source-file.ts";

const START = "packages/cli/src/main.ts";
/** What these load later is grammar too: one command's, or one message's. */
const GRAMMAR = [
  "packages/cli/src/program.ts",
  "packages/cli/src/commands/hand-written.ts",
  "packages/cli/src/messages/presentations.ts",
];
const HEAVY = ["@capstan/orchestrator", "@capstan/plugins", "zod", "zod/v4"];

export const lightStart: Rule = {
  name: "the command line starts without the kernel, the plugins and schemas",
  check(repository) {
    const problems: Problem[] = [];
    const files = new Map(repository.files.map((file) => [file.path, file]));
    const waiting: SourceFile[] = [files.get(START)].filter((file) => file !== undefined);
    const seen = new Set(waiting);
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      for (const { specifier, line, loads } of moduleSpecifiers(file)) {
        if (loads === "never" || (loads === "later" && !GRAMMAR.includes(file.path))) continue;
        if (HEAVY.includes(specifier)) {
          const text = `"${specifier}" is loaded with every command; import it where it is used, or a light door of it`;
          problems.push({ path: file.path, line, text });
        }
        const next = files.get(fileOf(repository, file, specifier) ?? "");
        if (next === undefined || seen.has(next)) continue;
        seen.add(next);
        waiting.push(next);
      }
    }
    return problems;
  },
};

function fileOf({ workspaces }: Repository, file: SourceFile, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(file.path), specifier);
  const name = `@capstan/${leadsTo(file, specifier)}`;
  return workspaces.find((one) => one.name === name)?.doors.get(`.${specifier.slice(name.length)}`);
}
