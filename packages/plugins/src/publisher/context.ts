// The tokens that the publisher's decisions get from the plugins before it.

import { authority, type PluginContext } from "@capstan/orchestrator";
import { deadLetters } from "../dead-letter/schema.ts";
import { executions, protocols } from "../executor/protocols.ts";
import { actions } from "../registry/schema.ts";

export const NEEDS = [authority, actions, deadLetters, protocols, executions] as const;

export type Context = PluginContext<typeof NEEDS>;
