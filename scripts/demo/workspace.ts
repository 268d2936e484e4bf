// A temporary directory with what an operator keeps beside each other: configuration, plugin, actions. The server's data goes
// below it, and all of it goes away with `remove`.

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const FILES = [
  "capstan.config.ts",
  "quiet-repositories.ts",
  "actions/classification.ts",
  "actions/classify.ts",
  "actions/digest.ts",
  "actions/notify.ts",
  "actions/route.ts",
];

export class Workspace {
  readonly directory = mkdtempSync(join(tmpdir(), "capstan-demo-"));

  constructor() {
    for (const file of FILES) {
      const copy = join(this.directory, file);
      mkdirSync(dirname(copy), { recursive: true });
      copyFileSync(join(import.meta.dir, file), copy);
    }
  }

  /** The administrator credential that the server's first start made. */
  get adminToken(): string {
    return readFileSync(join(this.directory, ".capstan", "admin.token"), "utf8").trim();
  }

  /** What `notify` wrote: a line for everything that somebody was told. */
  get outbox(): readonly { readonly channel: string; readonly text: string; readonly repository: string | null }[] {
    const text = readFileSync(join(this.directory, "outbox.ndjson"), "utf8");
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  /** Synchronous: it is the last thing that happens before the process ends. */
  remove(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
