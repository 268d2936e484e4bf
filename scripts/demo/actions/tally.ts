// `tally`: a receiver. It notes what it was handed in `tally.ndjson`, and what it was allowed to ask for.

import { appendFile } from "node:fs/promises";
import { defineReceiver } from "@capstan/plugins";

/** What asking came to: `done`, or the code of the refusal. */
const outcome = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "done",
    (thrown: { readonly code?: string }) => thrown.code ?? "no code",
  );

export default defineReceiver({
  may: ["action.perform:digest"],
  async run(data, { capstan, publication }) {
    const digest = await outcome(capstan.perform("digest", { events: [data] }));
    const remove = await outcome(capstan.apply({ resource: "action", action: "remove", data: { name: "digest" } }));
    await appendFile("tally.ndjson", `${JSON.stringify({ cursor: publication.cursor, digest, remove })}\n`);
  },
});
