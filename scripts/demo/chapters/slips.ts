// Chapter: slips of the keyboard. Each is answered with what was probably meant, and none of them changes anything.

import { logLength, refusal } from "../answers.ts";
import { inOneBatch } from "../scope.ts";
import { admin, type Stage } from "./chapter.ts";

const notice = { text: "tea is ready", repository: null, private: false, archived: false };
const SLIPS = [
  {
    slip: { name: "notify", input: { chanel: "office", ...notice } },
    verb: "perform",
    code: "INPUT_INVALID",
    meant: "channel",
  },
  { slip: { name: "clasify", input: {} }, verb: "perform", code: "ACTION_UNKNOWN", meant: "classify" },
  { slip: { nam: "notify" }, verb: "perform", code: "MESSAGE_INVALID", meant: "name" },
  { slip: { name: "notify" }, verb: "preform", code: "MESSAGE_UNKNOWN", meant: "perform" },
];

export async function slips(stage: Stage): Promise<void> {
  const { story, server, workspace } = stage;
  const caller = admin(stage);
  const before = await logLength(caller);
  const lines = workspace.outbox.length;

  for (const { slip, verb, code, meant } of SLIPS) {
    const message = { resource: "action", action: verb, data: slip };
    const fault = await refusal(inOneBatch(caller, ({ applyAction }) => applyAction(message)));
    story.say(fault?.message ?? "taken");
    story.claim(
      `${code}, and a suggestion`,
      fault?.code === code && new RegExp(`did you mean "?(action\\.)?${meant}"?\\?`).test(fault.message),
      { figure: meant, found: fault },
    );
  }
  const entries = (await logLength(caller)) - before;
  story.claim("two reached the pipeline and are entries; two did not", entries === 2, {
    figure: `${entries} entries`,
    found: entries,
  });
  story.claim(
    "nobody was told anything, and the server is ready",
    workspace.outbox.length === lines && (await server.ready()),
  );
}
