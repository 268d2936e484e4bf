// `npm run binary [-- --out FILE]`: the whole of Capstan as one executable, dist/capstan, that needs neither Bun nor
// node_modules. Prints how large it is and how long it takes to start.

import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { asCompiled, compiledName, workerFiles } from "./worker-files.ts";

const ROOT = join(import.meta.dir, "..", "..");
const PACKAGES = join(ROOT, "packages");
const MAIN = join(PACKAGES, "cli", "src", "main.ts");
/** For `capstan plugin test`, whose process is another: it gets a copy of it, and of the workers. */
const PRELOAD = join(PACKAGES, "cli", "src", "settings", "supplied-preload.ts");
/** Optional: where it is not installed, the binary has none, and says so when it is asked for it. */
const IROH = "@number0/iroh";
const STARTS = 5;

const { values } = parseArgs({ options: { out: { type: "string", default: join(ROOT, "dist", "capstan") } } });
const out = resolve(values.out);
const workers = await workerFiles(PACKAGES);
const beside = [PRELOAD, ...workers];

mkdirSync(dirname(out), { recursive: true });
// Built elsewhere and renamed: nobody runs half of it, and one that runs can be replaced.
const draft = mkdtempSync(join(dirname(out), ".building-"));
try {
  await build(join(draft, basename(out)));
  chmodSync(join(draft, basename(out)), 0o755);
  renameSync(join(draft, basename(out)), out);
} finally {
  rmSync(draft, { recursive: true, force: true });
}
const megabytes = (statSync(out).size / 1e6).toFixed(1);
console.log(`${out}  ${megabytes} MB, starts in ${median(starts()).toFixed(0)} ms (capstan --version)`);
console.log(`programs beside it: ${beside.map((path) => basename(path, ".ts")).join(", ")}`);

/** @throws AggregateError with what does not build */
async function build(outfile: string): Promise<void> {
  await Bun.build({
    entrypoints: [MAIN, ...beside],
    naming: "[name].[ext]",
    target: "bun",
    format: "esm",
    bytecode: true, // a third of the start: nothing is parsed
    sourcemap: "linked", // embedded: a stack names our files and lines
    external: there(IROH) ? [] : [IROH],
    define: { __dirname: '"/"', __filename: '"/"' }, // else where this was built, which is nowhere there
    plugins: [{ name: "capstan: what lies beside the program", setup: besideTheProgram }],
    compile: {
      outfile,
      autoloadBunfig: false, // of the directory that it is called in, which may preload anything
      execArgv: ["--no-install"],
    },
  });
}

function there(name: string): boolean {
  try {
    Bun.resolveSync(name, join(PACKAGES, "orchestrator", "src"));
    return true;
  } catch {
    return false;
  }
}

function besideTheProgram(builder: Bun.PluginBuilder): void {
  builder.onLoad({ filter: /packages[\\/][^\\/]+[\\/]src[\\/].*\.ts$/ }, async ({ path }) => ({
    loader: "ts",
    contents: path.endsWith("bundled-files.ts")
      ? `export const bundledFiles = ${JSON.stringify(beside.map(compiledName))};`
      : asCompiled(path, await Bun.file(path).text()),
  }));
}

function starts(): number[] {
  return Array.from({ length: STARTS }, () => {
    const from = performance.now();
    const { success } = Bun.spawnSync([out, "--version"], { env: {}, cwd: dirname(out) });
    if (!success) throw new Error(`${out} does not start`);
    return performance.now() - from;
  });
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number;
}
