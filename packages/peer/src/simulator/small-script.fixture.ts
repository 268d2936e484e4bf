// Scripts small enough to say what must come of them: every node a domain of its own, and everything passed on.

import { growthScript } from "./growth.ts";
import type { Script, ScriptEvent } from "./scenario/script.ts";

export interface SmallScript {
  /** `["a-b", "b-c"]`. The first dials. */
  readonly links: readonly string[];
  /** Node → names that it offers from its start on. */
  readonly routes: Readonly<Record<string, readonly string[]>>;
  readonly liars?: readonly string[];
  readonly events?: readonly ScriptEvent[];
  readonly damping?: Script["damping"];
  readonly timing?: Partial<Script["timing"]>;
  readonly quietAt?: number;
}

const passAll = { name: "all", then: "accept" } as const;

export function smallScript(small: SmallScript): Script {
  const { timing } = growthScript({ shape: "ring", nodes: 3, seed: 1 });
  const pairs = small.links.map((link) => link.split("-") as [string, string]);
  const ids = [...new Set(pairs.flat())].toSorted();
  return {
    seed: 1,
    timing: {
      ...timing,
      holdTime: 9000,
      restartTime: 20_000,
      advertisementInterval: 50,
      lifetime: 3600,
      maxLifetime: 7200,
      ...small.timing,
    },
    damping: small.damping,
    nodes: ids.map((id) => ({
      id,
      domain: id,
      routes: (small.routes[id] ?? []).map((name) => [name, ""] as const),
      startAt: 0,
      skew: 0,
      drift: 0,
      pathLength: 64,
      chunkSize: 256,
      updateRoutes: 4096,
      liar: small.liars?.includes(id) ?? false,
    })),
    links: pairs.map(([a, b]) => ({
      a,
      b,
      relation: "peer",
      dials: "a",
      delay: 10,
      jitter: 0,
      filters: [a, b].flatMap((node) =>
        (["import", "export"] as const).map((direction) => ({ node, direction, clause: passAll })),
      ),
    })),
    owners: ids.map((id) => ({ routes: [`action:${id}.*`], node: id })),
    events: small.events ?? [],
    quietAt: small.quietAt ?? 30_000,
  };
}
