// STYLE: names are the field's. A file is kebab-case, named for what it exports; a helper, util, misc or manager is a file
// or a thing for which nobody found the noun.

import type { Problem, Rule } from "../repository.ts";
import { isNode, lineAt, nameOf, type SourceFile } from "../source-file.ts";

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const NO_NOUN = /^(helpers?|utils?|utility|utilities|misc|managers?)$/i;

export const names: Rule = {
  name: "files are kebab-case, and nothing is called a helper, util, misc or manager",
  check(repository) {
    return repository.files
      .filter((file) => file.code !== undefined)
      .flatMap((file) => [
        ...file.path
          .split("/")
          .filter((part) => !part.startsWith("."))
          .flatMap((part) => badPart(file.path, part)),
        ...exportedNames(file)
          .filter(({ name }) => words(name).some((word) => NO_NOUN.test(word)))
          .map(({ name, line }) => ({ path: file.path, line, text: `exports "${name}"; find its noun` })),
      ]);
  },
};

function badPart(path: string, part: string): Problem[] {
  if (!KEBAB.test(part)) return [{ path, text: `"${part}" is not kebab-case` }];
  const vague = part.split(/[-.]/).find((word) => NO_NOUN.test(word));
  return vague === undefined ? [] : [{ path, text: `"${vague}" is no noun of the field` }];
}

function words(name: string): string[] {
  return name.split(/(?=[A-Z][a-z])|_|(?<=[a-z0-9])(?=[A-Z])/);
}

function exportedNames(file: SourceFile): { name: string; line: number }[] {
  return (file.code?.nodes ?? []).flatMap((node) => {
    if (node.type !== "ExportNamedDeclaration" && node.type !== "ExportDefaultDeclaration") return [];
    const declared = isNode(node.declaration) ? node.declaration : undefined;
    const ids = [
      declared?.id,
      ...((declared?.declarations as { id: unknown }[] | undefined) ?? []).map(({ id }) => id),
      ...((node.specifiers as { exported: unknown }[] | undefined) ?? []).map(({ exported }) => exported),
    ];
    const line = lineAt(file.text, node.start);
    return ids.flatMap((id) => (nameOf(id) === undefined ? [] : [{ name: nameOf(id) as string, line }]));
  });
}
