// `classify`: a webhook payload of GitHub's, whatever its event, as a kind, a repository, an actor and one line of text.

import { defineAction } from "@capstan/plugins";
import { z } from "zod";
import { classification } from "./classification.ts";

// Only what is read; GitHub sends two hundred fields more.
const payload = z.looseObject({
  action: z.string().nullish(),
  repository: z
    .looseObject({ full_name: z.string(), private: z.boolean(), archived: z.boolean().optional() })
    .nullish(),
  sender: z.looseObject({ login: z.string() }).nullish(),
});

/** What an event is about, the most telling first: part of the payload, and the field that people would call it by. */
const SUBJECTS = [
  ["pull_request", "title"],
  ["issue", "title"],
  ["discussion", "title"],
  ["release", "name"],
  ["security_advisory", "summary"],
  ["head_commit", "message"],
  ["workflow_run", "name"],
  ["workflow_job", "name"],
  ["check_run", "name"],
  ["milestone", "title"],
  ["label", "name"],
  ["team", "name"],
  ["package", "name"],
  ["rule", "name"],
  ["member", "login"],
  ["forkee", "full_name"],
  ["repository", "full_name"],
] as const;
const LONGEST_SUBJECT = 72;

export default defineAction({
  input: z.strictObject({ event: z.string().min(1), payload }),
  output: classification,
  idempotent: true,
  readOnly: true,
  run({ event, payload }) {
    const kind = payload.action ? `${event}.${payload.action}` : event;
    const actor = payload.sender?.login ?? "somebody";
    return {
      kind,
      repository: payload.repository?.full_name ?? null,
      private: payload.repository?.private ?? false,
      archived: payload.repository?.archived ?? false,
      actor,
      summary: `${actor}: ${kind}, ${subjectOf(payload) ?? event}`,
    };
  },
});

function subjectOf(payload: Readonly<Record<string, unknown>>): string | undefined {
  for (const [part, field] of SUBJECTS) {
    const value = (payload[part] as Readonly<Record<string, unknown>> | null | undefined)?.[field];
    if (typeof value !== "string") continue;
    // Characters, not halves of them: titles have emoji.
    return [...(value.split("\n")[0] as string)].slice(0, LONGEST_SUBJECT).join("");
  }
  return undefined;
}
