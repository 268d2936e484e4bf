// The demonstration's node, as an operator would write it: the standard pipeline with one plugin more. It is copied into
// a temporary directory together with that plugin and the actions, and served from there.

import { defineConfig } from "@capstan/orchestrator";
import {
  auth,
  deadLetter,
  executor,
  http,
  ledger,
  module,
  process,
  publisher,
  registry,
  script,
} from "@capstan/plugins";
import { quietRepositories } from "./quiet-repositories.ts";

export default defineConfig({
  name: "demo",
  listen: "127.0.0.1:0",
  logLevel: "warn",
  plugins: [
    auth(),
    quietRepositories("notify"),
    registry(),
    deadLetter(),
    // The demonstration's own server is on the loopback, which nothing of a registrant's reaches otherwise.
    executor({ protocols: [module(), script(), http({ allow: ["127.0.0.1:*"] }), process()] }),
    publisher(),
    ledger(),
  ],
});
