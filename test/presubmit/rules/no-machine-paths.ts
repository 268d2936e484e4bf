// What is written here is read on other machines: a path of the writer's own is wrong there, and tells about the writer.

import { homedir } from "node:os";
import { dirname } from "node:path";
import type { Rule } from "../repository.ts";
import { lineAt } from "../source-file.ts";

// The homes of Linux, macOS and Windows, a Mac's temporary folder; wherever this clone is comes in as `here`.
const ANYWHERE = [
  /(?<![\w.~-])\/(?:root|home\/[a-z_][\w-]*|Users\/[A-Za-z][\w-]*)(?:\/|\b(?![\w.-]))/g,
  /\b[A-Z]:\\+Users\\/g,
  /\/var\/folders\//g,
];

export function noMachinePaths(here: readonly string[]): Rule {
  const patterns = [...ANYWHERE, ...here.map((path) => new RegExp(`${RegExp.escape(path)}(?![\\w-])`, "g"))];
  return {
    name: "no file names a path of someone's machine",
    check(repository) {
      return repository.files.flatMap(({ path, text }) =>
        patterns.flatMap((pattern) =>
          [...text.matchAll(pattern)].map((match) => ({ path, line: lineAt(text, match.index), text: match[0] })),
        ),
      );
    },
  };
}

/** What names this machine: the clone, the folder that holds it, and the home of whoever runs this; not what any machine has, as `/tmp`. */
export function pathsOfThisMachine(root: string): string[] {
  const names = (path: string): number => path.split("/").filter((name) => name !== "").length;
  return [...[root, homedir()].filter((path) => names(path) > 1), ...[dirname(root)].filter((path) => names(path) > 2)];
}
