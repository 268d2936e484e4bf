#!/usr/bin/env node
// `npx capstan …` in a clone, on a machine that may have no Bun: finds Bun, installs, and becomes the CLI, in the
// caller's directory. It must hold no logic of the CLI's own.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runWithBun } from "../scripts/with-bun.mjs";

const cli = join(dirname(dirname(fileURLToPath(import.meta.url))), "packages", "cli", "src", "main.ts");
// Else Bun fetches and runs what a file of the caller's imports and no package.json declares: bunfig.toml is read from the
// caller's directory, so that ours does not forbid it.
runWithBun(["--no-install", cli, ...process.argv.slice(2)]);
