// A site of the demonstration's network: the standard pipeline, and one plugin more that only quito has something for. Peers say
// quickly that they are there, so that nobody who watches has to wait for it.

import { basename } from "node:path";
import { defineConfig } from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, module, peerPropagation, publisher, registry } from "@capstan/plugins";
import { quietRepositories } from "../quiet-repositories.ts";

const name = basename(import.meta.dir);

export default defineConfig({
  name,
  listen: "127.0.0.1:0",
  logLevel: "warn",
  plugins: [
    auth(),
    quietRepositories(...(name === "quito" ? ["notify"] : [])),
    registry(),
    deadLetter(),
    executor({ protocols: [module()] }),
    publisher(),
    peerPropagation({ timing: { holdTime: 3000, backoff: { first: 50, last: 500 }, advertisementInterval: 0 } }),
    ledger(),
  ],
});
