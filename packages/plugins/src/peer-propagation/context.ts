// The tokens that peering's decisions get from the plugins before it.

import { authority, type PluginContext } from "@capstan/orchestrator";
import { topics } from "../publisher/elsewhere/topics.ts";
import { elsewhere } from "../registry/elsewhere.ts";

/** `elsewhere` and `topics` are needed for `run`, which notes ways there. */
export const NEEDS = [authority, elsewhere, topics] as const;

export type Context = PluginContext<typeof NEEDS>;
