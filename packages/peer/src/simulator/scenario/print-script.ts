// A script for people: what there is, and what happens, a line each.

import type { Script, ScriptEvent } from "./script.ts";

export function printScript(script: Script): string {
  const { seed, nodes, links, timing, damping, quietAt, events } = script;
  const lines = [
    `seed ${seed}: ${nodes.length} nodes, ${links.length} links, quiet from ${seconds(quietAt)} on`,
    `hold ${seconds(timing.holdTime)}, restart ${seconds(timing.restartTime)}, damping ${damping === undefined ? "off" : "on"}`,
    ...nodes.map(({ id, domain, routes, liar }) => {
      const of = domain === id ? "" : ` of ${domain}`;
      const names = routes.map(([name]) => name).join(" ");
      return `  ${id}${of}${liar ? " (liar)" : ""}: ${names}`;
    }),
    ...links.map(({ a, b, relation, delay, filters }) => {
      const clauses = filters.map(({ node, direction, clause }) => `; ${node} ${direction}: ${clause.name}`).join("");
      return `  ${a} – ${b} ${relation === "provider" ? "its provider" : relation}, ${delay} ms${clauses}`;
    }),
    ...events.map(printEvent),
  ];
  return lines.join("\n");
}

function printEvent({ at, type, ...rest }: ScriptEvent): string {
  const words = Object.entries(rest).map(([key, value]) =>
    key === "until" || key === "useAt" ? `${key} ${seconds(value as number)}` : `${key} ${JSON.stringify(value)}`,
  );
  return `  ${seconds(at)} ${type} ${words.join(" ")}`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
