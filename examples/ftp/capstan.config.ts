// A configuration with a protocol of one's own beside the built-in ones.

import { defineConfig } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { ftp } from "./ftp.ts";

export default defineConfig({ plugins: standard({ protocols: [ftp()] }) });
