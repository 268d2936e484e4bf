// STYLE: no I/O, clock or randomness in `decide` or `step`. Replay, rehearsal and the simulator hold only while what is
// decided depends on the envelope and the state alone; time and ids come in the envelope, or are injected.

import { moduleSpecifiers } from "../module-specifiers.ts";
import { type Problem, packageSources, pluginFolders, type Repository, type Rule } from "../repository.ts";
import { dottedName, lineAt, type Node, nameOf, type SourceFile } from "../source-file.ts";

const IMPURE = [
  /^(globalThis\.)?(Date\.now|Math\.random|performance\.now)$/,
  /^(globalThis\.)?(setTimeout|setInterval|setImmediate|queueMicrotask|fetch)$/,
  /^(globalThis\.)?crypto\.(randomUUID|getRandomValues)$/,
  /^(process|console)\.\w+$/,
  // A hash computes, as those of node:crypto do.
  /^Bun\.(?!SHA256$)\w+$/,
  /^(globalThis\.)?(WebSocket|EventSource|Worker|BroadcastChannel|XMLHttpRequest)$/,
];
/** Of node:crypto, which computes; but not these. */
const RANDOM = /^(random\w*|getRandomValues|webcrypto|subtle|generate\w+|default)$/;
const IO_MODULE =
  /^(bun($|:)|node:(fs|net|tls|http|https|http2|dgram|dns|child_process|worker_threads|timers|os|cluster|process|perf_hooks)\b)/;

export const purity: Rule = {
  name: "no clock, randomness, timer or I/O where things are decided, or in the peering protocol",
  check(repository) {
    return pureFiles(repository).flatMap((file) => [
      ...(file.code?.nodes ?? []).flatMap((node) => problem(file, node)),
      ...moduleSpecifiers(file)
        .filter(({ specifier }) => IO_MODULE.test(specifier))
        .map(({ specifier, line }) => ({ path: file.path, line, text: `imports "${specifier}"` })),
    ]);
  },
};

function pureFiles(repository: Repository): SourceFile[] {
  const plugins = pluginFolders(repository).map((name) => `packages/plugins/src/${name}/${name}.ts`);
  return packageSources(repository).filter(
    (file) =>
      !file.isTest &&
      (file.path.startsWith("packages/peer/") || plugins.includes(file.path) || /(^|[/-])decide[^/]*$/.test(file.path)),
  );
}

function problem(file: SourceFile, node: Node): Problem[] {
  const at = { path: file.path, line: lineAt(file.text, node.start) };
  if (node.type === "ImportDeclaration" && /^(node:)?crypto$/.test((node.source as { value: string }).value)) {
    return (node.specifiers as { imported?: unknown }[])
      .map(({ imported }) => nameOf(imported) ?? "default")
      .filter((name) => RANDOM.test(name))
      .map((name) => ({ ...at, text: name === "default" ? "all of node:crypto" : `${name} of node:crypto` }));
  }
  if (node.type === "NewExpression" || node.type === "CallExpression") {
    const callee = dottedName(node.callee);
    if (callee === "Date" && (node.type === "CallExpression" || (node.arguments as unknown[]).length === 0)) {
      return [{ ...at, text: "Date without a time reads the clock" }];
    }
    if (callee !== undefined && !callee.includes(".") && IMPURE.some((one) => one.test(callee))) {
      return [{ ...at, text: callee }];
    }
  }
  // Members count without a call too: `const now = Date.now` takes the clock along.
  const name = node.type === "MemberExpression" ? dottedName(node) : undefined;
  return name !== undefined && IMPURE.some((one) => one.test(name)) ? [{ ...at, text: name }] : [];
}
