// `notify`: tells a channel. Here that is a line of `outbox.ndjson` in the server's directory: it is written once, and so this
// action is the one that is not idempotent.

import { appendFile } from "node:fs/promises";
import { defineAction } from "@capstan/plugins";
import { z } from "zod";
import { notice } from "./classification.ts";

export default defineAction({
  input: notice,
  output: z.strictObject({ told: z.string() }),
  async run({ channel, text, repository }) {
    await appendFile("outbox.ndjson", `${JSON.stringify({ channel, text, repository })}\n`);
    return { told: `#${channel}` };
  },
});
