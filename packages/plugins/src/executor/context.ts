// The tokens that the executor's decisions get from the plugins before it.

import { authority, type PluginContext } from "@capstan/orchestrator";
import { deadLetters } from "../dead-letter/schema.ts";
import { elsewhere } from "../registry/elsewhere.ts";
import { actions } from "../registry/schema.ts";

export const NEEDS = [authority, actions, elsewhere, deadLetters] as const;

export type Context = PluginContext<typeof NEEDS>;
