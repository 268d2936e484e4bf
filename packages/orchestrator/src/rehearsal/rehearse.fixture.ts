// What the tests of rehearsals share: a history of notes, a plugin that forbids some of them, and differences in words.

import type { AnyPlugin } from "../plugin/plugin.ts";
import { next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { plugin, start } from "../testing/start.fixture.ts";
import type { Rehearsal } from "./report.ts";

/** Refuses notes of a name. */
export const forbids = (name: string, version = "1"): AnyPlugin =>
  plugin("forbids", {
    version,
    configuration: { name },
    needs: [authority],
    decide({ message }) {
      if (message.resource !== "note" || (message.data as { name: string }).name !== name) return next();
      return refuse("NAME_FORBIDDEN", `${name} is not to be written`, { clause: `not ${name}` });
    },
  });

export async function written(plugins: readonly AnyPlugin[], names: readonly string[]) {
  const node = await start(plugins);
  for (const name of names) await node.send("note.write", { name, text: "hi" }).catch(() => {});
  return node;
}

/** `entry: was → now`, each with code, plugin and clause. */
export function said({ differences }: Rehearsal): string[] {
  const one = ({ verdict, code, plugin, clause }: Rehearsal["differences"][number]["was"]) =>
    [verdict, code, plugin, clause].filter((part) => part !== undefined).join(" ");
  return differences.map(({ entry, was, now }) => `${entry}: ${one(was)} → ${one(now)}`);
}
