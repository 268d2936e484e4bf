// A running node as the source of a backup: pages of its log, asked for like anything else, under the credential's grant.

import type { BackupSource, ExportPage } from "@capstan/orchestrator";
import type { Target } from "../settings/target.ts";
import { ask } from "./ask.ts";

export function serverSource(target: Target): BackupSource {
  return {
    async checkpoint() {
      return ((await ask(target, "log.checkpoint")) as { readonly checkpoint: string }).checkpoint;
    },
    async first() {
      return ((await ask(target, "log.head")) as { readonly first: number }).first;
    },
    entries: async (from) => (await ask(target, "log.export", { from })) as ExportPage,
    async leaves(index, count) {
      const asked = { from: index + 1, limit: Math.min(count, MOST_LEAVES), leaves: true };
      return Buffer.from(((await ask(target, "log.export", asked)) as { readonly leaves: string }).leaves, "base64");
    },
  };
}

/** The most that may be asked for at a time. */
const MOST_LEAVES = 65_536;
