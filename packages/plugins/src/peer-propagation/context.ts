// What peering's decisions are given by the plugins before it.

import { authority, type PluginContext } from "@capstan/orchestrator";
import { topics } from "../publisher/elsewhere.ts";
import { elsewhere } from "../registry/elsewhere.ts";

/** The ways to actions and topics elsewhere are what it adds to; `run` finds where. */
export const NEEDS = [authority, elsewhere, topics] as const;

export type Context = PluginContext<typeof NEEDS>;
