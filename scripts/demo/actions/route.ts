// `route`: who should hear of a classified event, and what they are told. Rules only; telling them is `notify`'s.

import { defineAction } from "@capstan/plugins";
import { z } from "zod";
import { classification, type Notice, notice } from "./classification.ts";

type Channel = Notice["channel"];

/** By event; the first kind that an event begins with decides. */
const CHANNELS: readonly (readonly [event: RegExp, channels: readonly Channel[]])[] = [
  [/^(security_advisory|(dependabot|code_scanning|repository_vulnerability)_alert)\b/, ["security", "on-call"]],
  [/^release\.(published|released)$/, ["releases", "engineering", "support"]],
  [/^(release|package)\b/, ["releases"]],
  [/^(issues|issue_comment|discussion|discussion_comment|label|milestone)\b/, ["support"]],
  [/^(push|pull_request|check|workflow|deployment|merge_group|create|delete|status|commit_comment)/, ["engineering"]],
];

export default defineAction({
  input: classification,
  output: z.strictObject({ first: notice, notices: z.array(notice).min(1) }),
  idempotent: true,
  readOnly: true,
  run({ kind, repository, private: isPrivate, archived, summary }) {
    const channels = CHANNELS.find(([event]) => event.test(kind))?.[1] ?? ["office"];
    const notices = channels.map(
      (channel): Notice => ({ channel, text: summary, repository, private: isPrivate, archived }),
    );
    return { first: notices[0] as Notice, notices };
  },
});
