// A configuration with a plugin of one's own. The order is this tuple; a wrong one does not compile.

import { defineConfig } from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, module, registry } from "@capstan/plugins";
import { businessHours } from "./business-hours.ts";

export default defineConfig({
  name: "berlin",
  data: "./.capstan",
  listen: "127.0.0.1:7420",
  plugins: [
    auth(), // who asks, and whether they may
    businessHours(9, 17), // after auth, which it needs; before whatever is to be refused
    registry(),
    deadLetter(), // before the executor, which needs it
    executor({ protocols: [module()] }),
    ledger(),
  ],
});
