// A configuration with a plugin of one's own. The order is this tuple; a wrong one does not compile.

import { defineConfig } from "@capstan/orchestrator";
import {
  auth,
  deadLetter,
  executor,
  http,
  ledger,
  module,
  peerPropagation,
  process,
  publisher,
  registry,
  script,
} from "@capstan/plugins";
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
    executor({ protocols: [module(), script(), http(), process()] }), // and those of your own
    publisher(), // after the executor, whose outcomes it hands on
    peerPropagation(), // tells peers what is here, and has what they offer
    ledger(), // last: it reads what all of them did
  ],
});
