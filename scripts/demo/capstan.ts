// `capstan`, as a stranger would run it: a process of its own, in a directory that it is given, with none of whoever runs the
// demonstration's settings.

import { join } from "node:path";

export const CLI = join(import.meta.dir, "..", "..", "packages", "cli", "src", "main.ts");

/** The environment less what would set the program: the demonstration's own is all that counts. */
export function plainEnvironment(): Record<string, string> {
  const env = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !name.startsWith("CAPSTAN_"),
  );
  return { ...(Object.fromEntries(env) as Record<string, string>), CAPSTAN_CONTEXT: "none", NO_COLOR: "1" };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function capstan(directory: string, ...args: readonly string[]): Promise<Ran> {
  const child = Bun.spawn([process.execPath, "--no-install", CLI, ...args], {
    cwd: directory,
    env: plainEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}
