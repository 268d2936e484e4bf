// Replaces a log in a process of its own, which kills itself after the step that it is told: `bun replace-log.fixture.ts
// DIRECTORY STEP`.

import { join } from "node:path";
import { replaceLog } from "./replace-log.ts";

const [directory = "", last] = process.argv.slice(2);
replaceLog({
  log: join(directory, "log.db"),
  prepared: join(directory, "new.db"),
  preparedCheckpoint: join(directory, "new.checkpoint"),
  stamp: "then",
  reached: (step) => {
    if (step === last) process.kill(process.pid, "SIGKILL");
  },
});
