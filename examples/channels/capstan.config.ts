// What a node is by default, and channels: nothing else has to know of them, so that they may stand last.

import { defineConfig } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { channels } from "./channels.ts";

export default defineConfig({ plugins: [...standard(), channels()] });
