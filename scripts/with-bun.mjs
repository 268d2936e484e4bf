// Runs a command under the one Bun that this repository is written for, on a machine that may have only Node and npm:
// finds or fetches Bun, installs the packages where bun.lock asks for it, then becomes the command.
// It must stay plain JavaScript without dependencies: it runs before anything is installed.

import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "1.4.5";
const EX_UNAVAILABLE = 69; // sysexits.h: something that is needed cannot be had
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OURS = join(ROOT, "node_modules", ".capstan"); // ours inside node_modules: ignored by git, gone with a reinstall
const MARKER = join(OURS, "installed.json");
const WINDOWS = process.platform === "win32";

/** Ends the process with one message for the person in front of it. */
class Unavailable extends Error {}

function markedBun() {
  try {
    const { version, bun } = JSON.parse(readFileSync(MARKER, "utf8"));
    return version === VERSION && existsSync(bun) ? bun : undefined;
  } catch {
    return undefined; // no marker yet, or one of another version
  }
}

function bunOnPath() {
  const asked = spawnSync("bun", ["-e", "console.log(process.versions.bun, process.execPath)"], { encoding: "utf8" });
  const [version, ...path] = (asked.stdout ?? "").trim().split(" ");
  return asked.status === 0 && version === VERSION ? path.join(" ") : undefined;
}

function fetchedBun() {
  process.stderr.write(`capstan: getting Bun ${VERSION} through npx, once…\n`);
  const args = ["--yes", "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000", `bun@${VERSION}`];
  const program = '"console.log(process.execPath)"'; // the shell of npx.cmd and of npx alike sees one word
  const asked = spawnSync("npx", [...args, "-e", WINDOWS ? program : program.slice(1, -1)], {
    cwd: ROOT,
    encoding: "utf8",
    shell: WINDOWS,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const path = (asked.stdout ?? "").trim().split("\n").at(-1) ?? "";
  if (asked.status === 0 && existsSync(path)) return path;
  // npm's own text names files of this machine; its error code is enough.
  const code = /npm (?:error|ERR!) code (\w+)/.exec(asked.stderr ?? "")?.[1] ?? asked.error?.code;
  throw new Unavailable(
    `Bun ${VERSION} is not on this machine and could not be fetched from npm's registry${code ? ` (${code})` : ""}.\n` +
      `Are you offline? Connect once and run this again, or put Bun ${VERSION} on your PATH (https://bun.com/docs/installation).`,
  );
}

/** The executable of Bun `VERSION`: what we already run under, what was found before, what is on PATH, or fetched. */
export function findBun() {
  if (process.versions.bun === VERSION) return process.execPath;
  return markedBun() ?? bunOnPath() ?? fetchedBun();
}

/** Installs what bun.lock names, where that has not happened since bun.lock last changed. */
export function installPackages(bun) {
  const lock = statSync(join(ROOT, "bun.lock")).mtimeMs;
  if (existsSync(MARKER) && statSync(MARKER).mtimeMs >= lock && markedBun() !== undefined) return;
  const done = spawnSync(bun, ["install", "--frozen-lockfile"], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (done.status !== 0) {
    const said = `${done.stderr ?? ""}${done.error?.message ?? ""}`;
    const todo = /EACCES|EROFS/.test(said)
      ? "This clone is not yours to write in: have its owner run any command in it once, or make a clone of your own."
      : "Where the registry was not reached: connect once and run this again. Where package.json and bun.lock differ: bun install.";
    throw new Unavailable(`bun install --frozen-lockfile failed:\n${said}\n${todo}`);
  }
  replace(MARKER, (path) => writeFileSync(path, JSON.stringify({ version: VERSION, bun })));
}

/** A directory for PATH that holds `bun`: npx's executable is called bun.exe everywhere. */
function binDirectory(bun) {
  if (WINDOWS) return dirname(bun);
  const directory = join(OURS, "bin");
  const link = join(directory, "bun");
  if (existsSync(link) && realpathSync(link) === realpathSync(bun)) return directory;
  return replace(link, (path) => symlinkSync(bun, path)) ? directory : dirname(bun);
}

// Two commands may start at once: what one reads is whole, whichever wrote last. In a clone of somebody else's nothing is kept, and
// each start looks again.
function replace(path, make) {
  const fresh = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(fresh, { force: true });
    make(fresh);
    renameSync(fresh, path);
    return true;
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(error.code)) throw error;
    return false;
  }
}

/** Runs `bun …args` in place of this process: same stdio, signals passed on, the same exit code or signal. */
export function become(bun, args, cwd = process.cwd()) {
  const path = [binDirectory(bun), process.env.PATH].filter(Boolean).join(delimiter);
  const child = spawn(bun, args, { cwd, stdio: "inherit", env: { ...process.env, PATH: path } });
  // A terminal sends ^C to the whole process group: passing it on as well would be a second ^C.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const handlers = new Map();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"]) {
    if (WINDOWS && signal === "SIGUSR2") continue;
    const handler = () => {
      if (!(terminal && (signal === "SIGINT" || signal === "SIGQUIT"))) child.kill(signal);
    };
    handlers.set(signal, handler);
    process.on(signal, handler);
  }
  child.on("error", (error) => {
    process.stderr.write(`capstan: Bun could not be started: ${error.code ?? error.message}\n`);
    process.exit(EX_UNAVAILABLE);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const [name, handler] of handlers) process.off(name, handler);
    process.exitCode = 128 + (constants.signals[signal] ?? 0); // where the signal does not end us
    process.kill(process.pid, signal);
  });
}

/** Finds Bun, installs, and becomes `bun …args`; what is missing is said in one message, exit code 69. */
export function runWithBun(args, cwd) {
  try {
    const bun = findBun();
    installPackages(bun);
    become(bun, args, cwd);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    process.stderr.write(`capstan: ${error.message}\n`);
    process.exitCode = EX_UNAVAILABLE;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args.length === 0) {
    process.stderr.write(
      "usage: node scripts/with-bun.mjs <arguments of bun>, for example: test, or run scripts/demo/main.ts\n",
    );
    process.exitCode = 64;
  } else {
    runWithBun(args, ROOT);
  }
}
