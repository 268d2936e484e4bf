// Whoever registers and performs hostile scripts: under a grant that covers actions and one directory, with a `may` that
// covers `echo` alone.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { remoteFault } from "@capstan/orchestrator/client";
import { type Escape, escapes, moduleOf, type Surroundings } from "./escapes.ts";

/** Milliseconds of CPU time: what ends the loops soon, and never those that end by themselves. */
const SHORT = 100;
const LONG = 5000;

export interface Directory extends Surroundings {
  remove(): void;
}

/** A granted directory with links that lead out of it, and what they lead to. */
export function makeDirectory(): Directory {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "capstan-escapes-")));
  const [granted, outside] = [join(base, "granted"), join(base, "outside")];
  mkdirSync(join(granted, "sub"), { recursive: true });
  mkdirSync(join(outside, "sub"), { recursive: true });
  writeFileSync(join(outside, "secret.txt"), "secret");
  symlinkSync(join(outside, "secret.txt"), join(granted, "link"));
  symlinkSync(outside, join(granted, "linked"));
  return { granted, outside, remove: () => rmSync(base, { recursive: true }) };
}

export function tenantGrant({ granted }: Surroundings): readonly string[] {
  return ["action.register", "action.perform", `file.read:${granted}/*`, `file.write:${granted}/*`];
}

interface Scope {
  readonly action: {
    register(data: unknown): PromiseLike<unknown>;
    perform(data: unknown): PromiseLike<unknown>;
  };
}

export interface Tried {
  readonly code?: string | undefined;
  readonly output?: unknown;
  readonly message?: string | undefined;
  readonly ms: number;
}

/** The scripts of a tenant, registered once and tried as often as wanted. */
export class Tenant {
  readonly list: readonly Escape[];
  readonly #scope: Scope;

  constructor(scope: Scope, surroundings: Surroundings) {
    this.#scope = scope;
    this.list = escapes(surroundings);
  }

  async register(attempt: Escape): Promise<Tried> {
    return this.#timed(() =>
      this.#scope.action.register({
        name: this.#nameOf(attempt),
        protocol: "script",
        configuration: {
          source: moduleOf(attempt),
          time: attempt.ends?.includes("SCRIPT_TIME") ? SHORT : LONG,
          ...attempt.configuration,
        },
        may: ["action.perform:echo"],
      }),
    );
  }

  async perform(attempt: Escape): Promise<Tried> {
    return this.#timed(() => this.#scope.action.perform({ name: this.#nameOf(attempt) }));
  }

  #nameOf(attempt: Escape): string {
    return `escape-${this.list.indexOf(attempt)}`;
  }

  async #timed(ask: () => PromiseLike<unknown>): Promise<Tried> {
    const from = performance.now();
    try {
      const { output } = (await ask()) as { output?: unknown };
      return { output, ms: performance.now() - from };
    } catch (thrown) {
      const { code, message } = remoteFault(thrown) ?? { code: undefined, message: String(thrown) };
      return { code, message, ms: performance.now() - from };
    }
  }
}

/** What was wrong with an attempt: it was not refused, not stopped, or answered what it should not know. */
export function complaint({ name, ends, answers }: Escape, { code, output, message }: Tried): string | undefined {
  if (ends !== undefined) {
    if (code !== undefined && ends.includes(code)) return undefined;
    return `${name}: ${code ?? "it answered"}, not ${ends.join(" or ")} (${message ?? JSON.stringify(output)})`;
  }
  if (code === undefined && JSON.stringify(output) === JSON.stringify(answers)) return undefined;
  return `${name}: ${code ?? JSON.stringify(output)}, not ${JSON.stringify(answers)} (${message ?? ""})`;
}
