// What a configuration and its plugins import comes out of this program: one copy of each, in a compiled binary too.

import * as orchestrator from "@capstan/orchestrator";
import * as client from "@capstan/orchestrator/client";
import * as plugins from "@capstan/plugins";
import * as zod from "zod";
import * as zodV4 from "zod/v4";

export function supplyModules(): void {
  plugins.supplyModules({
    zod,
    "zod/v4": zodV4,
    "@capstan/orchestrator": orchestrator,
    "@capstan/orchestrator/client": client,
    "@capstan/plugins": plugins,
  });
}
