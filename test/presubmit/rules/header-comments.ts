// STYLE: a file's header says what it owns and what it must not do. Below this many words it says nothing.

import type { Rule } from "../repository.ts";
import type { SourceFile } from "../source-file.ts";

const FEWEST_WORDS = 5;

export const headerComments: Rule = {
  name: "every source file starts with a comment that says what it owns",
  check(repository) {
    return (
      repository.files
        // What a test file is about, the names of its tests say.
        .filter((file) => !/\.test\.tsx?$/.test(file.path))
        .filter((file) => file.code !== undefined && header(file).split(/\s+/).filter(Boolean).length < FEWEST_WORDS)
        .map(({ path }) => ({ path, text: "no header comment, or one that says nothing" }))
    );
  },
};

function header(file: SourceFile): string {
  let at = /^#!.*\n/.exec(file.text)?.[0].length ?? 0;
  const lines: string[] = [];
  for (const comment of file.code?.comments ?? []) {
    if (comment.start < at) continue; // the #! line
    if (!/^\s*$/.test(file.text.slice(at, comment.start))) break;
    if (!/^[\s*]*(@ts-|@jsx|biome-ignore|\/ *<reference)/.test(comment.value))
      lines.push(comment.value.replace(/\*/g, " "));
    at = comment.end;
  }
  return lines.join(" ");
}
