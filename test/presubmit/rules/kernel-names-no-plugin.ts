// DESIGN §3: "The kernel names no plugin." It cannot import one (import-direction), so what is left is naming one: by its
// name or one of its messages in a string, by reading it off a collection (`plugins.auth`), by a connection of its, or by
// treating one resource differently from another. A local variable called `registry` names no plugin, nor does a comment.

import { packageSources, pluginFolders, type Rule } from "../repository.ts";
import { dottedName, isNode, lineAt, type Node, nameOf } from "../source-file.ts";

// The standard ones stand here as well as being found, so that the rule holds before they are written.
const STANDARD = ["auth", "registry", "dead-letter", "executor", "publisher", "peer-propagation", "ledger"];
const COLLECTIONS = ["plugins", "plugin", "connections", "doors", "needs", "adds", "facts", "verdicts"];
const KERNEL_RESOURCES = ["message", "node", "pipeline"]; // DESIGN §3, and §4 for the `pipeline` entry
const CONNECTION = /^connectionFrom[A-Z]/;

export const kernelNamesNoPlugin: Rule = {
  name: "the kernel names no plugin",
  check(repository) {
    const names = new Set([...STANDARD, ...pluginFolders(repository)]);
    return packageSources(repository)
      .filter((file) => file.path.startsWith("packages/orchestrator/") && !file.isTest)
      .flatMap((file) =>
        (file.code?.nodes ?? []).flatMap((node) => {
          const text = named(node, names);
          return text === undefined ? [] : [{ path: file.path, line: lineAt(file.text, node.start), text }];
        }),
      );
  },
};

function named(node: Node, names: ReadonlySet<string>): string | undefined {
  const text = node.type === "TemplateElement" ? (node.value as { cooked: string }).cooked : nameOf(node);
  if (text !== undefined && CONNECTION.test(text)) return `"${text}" is a plugin's connection`;
  if (node.type !== "Identifier" && text !== undefined) {
    const name = text.split(/[.:/]/, 1)[0] as string;
    if (names.has(name)) return `"${text}" names the plugin ${name}`;
  }
  if (node.type === "MemberExpression") {
    const holder = dottedName(node.object)?.split(".").at(-1);
    const key = kebab(nameOf(node.property) ?? "");
    if (holder !== undefined && COLLECTIONS.includes(holder) && names.has(key)) return `${holder} is read for ${key}`;
  }
  const resource = comparedResource(node);
  if (resource !== undefined) return `the resource "${resource}" is treated apart, and is a plugin's`;
  return undefined;
}

function comparedResource(node: Node): string | undefined {
  const compared =
    node.type === "BinaryExpression" && /^[!=]==?$/.test(node.operator as string)
      ? [
          [node.left, node.right],
          [node.right, node.left],
        ]
      : node.type === "SwitchStatement"
        ? (node.cases as Node[]).map((one) => [node.discriminant, one.test])
        : [];
  for (const [subject, value] of compared) {
    if (dottedName(subject)?.split(".").at(-1) !== "resource") continue;
    const resource = isNode(value) && value.type === "Literal" ? nameOf(value) : undefined;
    if (resource !== undefined && !KERNEL_RESOURCES.includes(resource)) return resource;
  }
  return undefined;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
