// A temporary directory with what an operator keeps beside each other: configuration, plugin, actions. The server's data goes
// below it, and all of it goes away with `remove`.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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
  "actions/tally.ts",
];

export interface Tallied {
  readonly cursor: string;
  /** What its two questions came to. */
  readonly digest: string;
  readonly remove: string;
}

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
    return adminTokenIn(this.directory);
  }

  /** What `notify` wrote: a line for everything that somebody was told. */
  get outbox(): readonly { readonly channel: string; readonly text: string; readonly repository: string | null }[] {
    const text = readFileSync(join(this.directory, "outbox.ndjson"), "utf8");
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  /** What the receiver `tally` noted, once it is as much. */
  async tallied(lines: number): Promise<readonly Tallied[]> {
    const file = join(this.directory, "tally.ndjson");
    for (;;) {
      const text = existsSync(file) ? readFileSync(file, "utf8") : "";
      const noted = text.split("\n").slice(0, -1);
      if (noted.length >= lines) return noted.map((line) => JSON.parse(line) as Tallied);
      await Bun.sleep(5);
    }
  }

  /** Synchronous: it is the last thing that happens before the process ends. */
  remove(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The administrator credential that a server's first start in a directory made. */
export function adminTokenIn(directory: string): string {
  return readFileSync(join(directory, ".capstan", "admin.token"), "utf8").trim();
}
