// A plugin's fault table is an exported constant named `…Faults`: written inline it would be missing from docs/faults.md,
// and its codes from the comparison of all codes.

import { packageSources, type Rule } from "../repository.ts";
import { lineAt, nameOf } from "../source-file.ts";

export const declaredFaults: Rule = {
  name: "a plugin names its fault table, and does not write it inline",
  check(repository) {
    return packageSources(repository)
      .filter((file) => file.path.startsWith("packages/plugins/") && !file.isTest)
      .flatMap((file) =>
        (file.code?.nodes ?? [])
          .filter((node) => node.type === "CallExpression" && nameOf(node.callee) === "definePlugin")
          .flatMap((call) => ((call.arguments as { properties?: unknown }[])[0]?.properties ?? []) as Property[])
          .filter((property) => nameOf(property.key) === "faults" && !/Faults$/.test(nameOf(property.value) ?? ""))
          .map(({ start }) => ({ path: file.path, line: lineAt(file.text, start), text: "an inline fault table" })),
      );
  },
};

interface Property {
  readonly start: number;
  readonly key: unknown;
  readonly value: unknown;
}
