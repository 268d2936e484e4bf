// What `serve` says once it listens.

import { shown } from "./shown.ts";

export interface Banner {
  readonly node: string;
  readonly name: string;
  readonly data: string;
  readonly log: "log.db" | "memory";
  readonly entries: number;
  readonly files: readonly string[];
  readonly pipeline: readonly string[];
  readonly url: string;
  /** Where it takes sessions over iroh, if it does. */
  readonly iroh?: string | undefined;
  readonly paths: readonly string[];
  readonly pid: number;
}

export function bannerText({ node, name, data, log, entries, files, pipeline, url, iroh, paths }: Banner): string {
  const count = `${entries} ${entries === 1 ? "entry" : "entries"}`;
  const kept = [log === "memory" ? `log in memory, ${count}` : `log.db ${count}`, ...files].join(", ");
  return [
    `node      ${node}  ${shown(name)}`,
    `data      ${data}   (${kept})`,
    `pipeline  ${pipeline.map(shown).join(" ▸ ")}`,
    `open      ${url}   ${paths.map(shown).join(" ")}`,
    ...(iroh === undefined ? [] : [`iroh      ${shown(iroh)}`]),
    "",
  ].join("\n");
}
