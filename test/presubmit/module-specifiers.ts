// Everything by which a file names another module: static and dynamic imports, re-exports, type imports, require. Types
// count: a boundary that only types cross is crossed.

import { posix } from "node:path";
import { workspaceOfPath } from "./repository.ts";
import { isNode, lineAt, type Node, nameOf, type SourceFile } from "./source-file.ts";

export interface ModuleSpecifier {
  readonly specifier: string;
  readonly line: number;
  /** With the file, where the file comes to it, or never: types alone. */
  readonly loads: "at once" | "later" | "never";
}

export function moduleSpecifiers(file: SourceFile): ModuleSpecifier[] {
  const found: ModuleSpecifier[] = [];
  for (const node of file.code?.nodes ?? []) {
    const specifier = specifierOf(node);
    if (specifier !== undefined) found.push({ specifier, line: lineAt(file.text, node.start), loads: loadsOf(node) });
  }
  return found;
}

function specifierOf(node: Node): string | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return nameOf(node.source);
    case "TSExternalModuleReference":
      return nameOf(node.expression);
    case "CallExpression": {
      const callee = isNode(node.callee) ? nameOf(node.callee) : undefined;
      return callee === "require" ? nameOf((node.arguments as unknown[])[0]) : undefined;
    }
    default:
      return undefined;
  }
}

function loadsOf({ type, importKind, exportKind }: Node): ModuleSpecifier["loads"] {
  if (importKind === "type" || exportKind === "type" || type === "TSImportType") return "never";
  return type === "ImportExpression" ? "later" : "at once";
}

/** The workspace of ours that a specifier leads to, by package name or by path; `undefined` where it leads to none. */
export function leadsTo(file: SourceFile, specifier: string): string | undefined {
  const ours = /^@capstan\/([^/]+)/.exec(specifier)?.[1];
  if (ours !== undefined) return ours;
  if (!specifier.startsWith(".")) return undefined;
  return workspaceOfPath(posix.join(posix.dirname(file.path), specifier));
}
