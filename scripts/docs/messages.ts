// packages/cli/src/messages/standard-messages.json: the standard messages, which the command line has commands for without loading what
// they are of. Run it (`npm run docs`) to write it; a test in packages/cli fails while it and the messages differ.

import { join } from "node:path";

const ROOT = join(import.meta.dir, "..", "..");
const MESSAGES = join(ROOT, "packages", "cli", "src", "messages");
const FILE = join(MESSAGES, "standard-messages.json");

const { describedStandard } = await import(join(MESSAGES, "standard-messages.fixture.ts"));
const messages: readonly object[] = describedStandard();
await Bun.write(FILE, JSON.stringify(messages, null, 2));
const { exitCode, stderr } = Bun.spawnSync([join(ROOT, "node_modules", ".bin", "biome"), "format", "--write", FILE]);
if (exitCode !== 0) throw new Error(`${FILE} was not formatted: ${stderr}`);
console.log(`standard-messages.json: ${messages.length} messages`);
