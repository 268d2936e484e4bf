// Sites of the demonstration's network: each a server of its own, in a directory of its own, of an administration of its own. What
// one lets in from another is written down here as an operator would, command by command.

import { copyFileSync, cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { capstan, type Ran } from "./capstan.ts";
import type { Caller } from "./scope.ts";
import { ServerProcess } from "./server-process.ts";
import { adminTokenIn } from "./workspace.ts";

const FILES = ["actions/classification.ts", "actions/classify.ts", "actions/notify.ts"];
const DATA = ".capstan";

export class Site {
  readonly name: string;
  readonly directory: string;
  server: ServerProcess | undefined;
  #address: string | undefined;

  private constructor(name: string, directory: string) {
    this.name = name;
    this.directory = directory;
  }

  /** @param within the directory that all sites are in */
  static async start(name: string, within: string): Promise<Site> {
    const site = new Site(name, join(within, name));
    mkdirSync(join(site.directory, "actions"), { recursive: true });
    for (const file of FILES) copyFileSync(join(import.meta.dir, file), join(site.directory, file));
    copyFileSync(join(import.meta.dir, "quiet-repositories.ts"), join(within, "quiet-repositories.ts"));
    copyFileSync(join(import.meta.dir, "sites", "capstan.config.ts"), join(site.directory, "capstan.config.ts"));
    await site.start();
    return site;
  }

  get caller(): Caller {
    return { url: this.server?.url ?? "", token: adminTokenIn(this.directory) };
  }

  /** Where it was before, from the second time on: its peers dial that. */
  async start(): Promise<void> {
    const flags = this.#address === undefined ? [] : ["--listen", this.#address];
    this.server = await ServerProcess.start(this.directory, ...flags);
    this.#address = new URL(this.server.url).host;
  }

  /** SIGKILL. */
  async die(): Promise<void> {
    await this.server?.kill();
    this.server = undefined;
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }

  run(...args: readonly string[]): Promise<Ran> {
    return capstan(this.directory, ...args);
  }

  /** A copy of its data, as of a disk that somebody put away. */
  putAway(): void {
    cpSync(join(this.directory, DATA), join(this.directory, "put-away"), { recursive: true });
  }

  /** The copy instead of what there is. */
  putBack(): void {
    rmSync(join(this.directory, DATA), { recursive: true });
    cpSync(join(this.directory, "put-away"), join(this.directory, DATA), { recursive: true });
  }
}

/** What two sites let pass, as `--import` and `--export` take it, said by the one who invites. */
export interface Passing {
  readonly imports: string;
  readonly exports: string;
}

/** Has two sites peer: an invitation goes from one to the other. Answers what the second was told. */
export async function peer(host: Site, guest: Site, ours: Passing, theirs: Passing): Promise<Ran> {
  const file = join(guest.directory, `${host.name}.invite`);
  const flags = ({ imports, exports }: Passing) => ["--import", imports, "--export", exports, "--disclose", "clauses"];
  const invited = await host.run("peer", "invite", guest.name, ...flags(ours), "--out", file);
  if (invited.code !== 0) return invited;
  return guest.run("peer", "add", host.name, "--invite", file, ...flags(theirs));
}

/** A policy by which nothing comes in. */
export const NOTHING = JSON.stringify({ clauses: [] });

/** A policy by which these routes pass; those in as well, if so wanted, that a peer has of its peers. */
export function passing(routes: readonly string[], { ofOthers = false } = {}): string {
  const clause = { name: "what we share", then: "accept", match: { routes } };
  return JSON.stringify({ clauses: [ofOthers ? { ...clause, unowned: true } : clause] });
}
