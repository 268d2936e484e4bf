// The repository that the rules are held against: the one on disk, or one made up in a rule's own test. It looks at files
// and not at git, so that a change is judged before it is committed.

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type SourceFile, sourceFile } from "./source-file.ts";

export interface Workspace {
  /** `orchestrator`, of `packages/orchestrator`; also `test` and `bench`. */
  readonly folder: string;
  /** `@capstan/orchestrator`. */
  readonly name: string;
  /** Front doors: `.`, `./client`. */
  readonly exports: readonly string[];
  /** Which file a front door is: `packages/orchestrator/src/client.ts`. */
  readonly doors: ReadonlyMap<string, string>;
  readonly dependencies: readonly string[];
}

export interface Repository {
  readonly files: readonly SourceFile[];
  readonly workspaces: readonly Workspace[];
}

/** What breaks a rule. */
export interface Problem {
  readonly path: string;
  readonly line?: number;
  readonly text: string;
}

export interface Rule {
  /** What holds, as a sentence: the name of its test. */
  readonly name: string;
  check(repository: Repository): Problem[];
}

// What .gitignore names: it is on this machine only, and is not judged.
const NOT_OURS = /^(node_modules|\.git|\.capstan|dist|\.env|\.DS_Store|.*\.token)$/;
const BINARY = /\.(png|jpe?g|gif|ico|woff2?|db|db-wal|db-shm|sqlite|wasm|gz|zip)$/;

/** A repository of these files, path → text. */
export function repositoryOf(files: Readonly<Record<string, string>>): Repository {
  return {
    files: Object.entries(files).map(([path, text]) => sourceFile(path, text)),
    workspaces: Object.entries(files).flatMap(([path, text]) => {
      const folder = /^(?:packages\/)?([^/]+)\/package\.json$/.exec(path)?.[1];
      return folder === undefined ? [] : [workspaceOf(folder, JSON.parse(text))];
    }),
  };
}

export function repositoryAt(root: string): Repository {
  const files: Record<string, string> = {};
  for (const path of pathsUnder(root, "")) files[path] = readFileSync(join(root, path), "utf8");
  return repositoryOf(files);
}

function pathsUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !NOT_OURS.test(entry.name))
    .flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return pathsUnder(root, path);
      return entry.isFile() && !BINARY.test(path) ? [path] : [];
    })
    .sort();
}

interface PackageJson {
  readonly name: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function workspaceOf(folder: string, json: PackageJson): Workspace {
  return {
    folder,
    name: json.name,
    exports: Object.keys(json.exports ?? {}),
    doors: new Map(
      Object.entries(json.exports ?? {}).map(([door, path]) => [door, posix.join("packages", folder, String(path))]),
    ),
    dependencies: Object.keys({ ...json.dependencies, ...json.devDependencies }),
  };
}

/** `orchestrator` of `packages/orchestrator/src/x.ts`, `test` of `test/x.ts`; `undefined` at the root. */
export function workspaceOfPath(path: string): string | undefined {
  const [first, second] = path.split("/");
  if (first === "packages") return second;
  return first === "test" || first === "bench" ? first : undefined;
}

/** Files of code under `packages/<name>/src`. */
export function packageSources(repository: Repository): SourceFile[] {
  return repository.files.filter((file) => file.code !== undefined && /^packages\/[^/]+\/src\//.test(file.path));
}

/** Plugin folders: direct sub-folders of packages/plugins/src in which something calls definePlugin. */
export function pluginFolders(repository: Repository): string[] {
  const names = new Set<string>();
  for (const file of repository.files) {
    const folder = /^packages\/plugins\/src\/([^/]+)\//.exec(file.path)?.[1];
    if (folder === undefined || file.isTest) continue;
    const defines = file.code?.nodes.some(
      (node) => node.type === "CallExpression" && (node.callee as { name?: string }).name === "definePlugin",
    );
    if (defines) names.add(folder);
  }
  return [...names].sort();
}
