// What peering's decisions are given by the plugins before it.

import { authority, type PluginContext } from "@capstan/orchestrator";
import { elsewhere } from "../registry/elsewhere.ts";

/** The way to actions elsewhere is what it adds to; `run` finds where. */
export const NEEDS = [authority, elsewhere] as const;

export type Context = PluginContext<typeof NEEDS>;
