// What an event comes to in a few words, as the actions of the demonstration hand it on to each other.

import { z } from "zod";

export const classification = z.strictObject({
  /** `issues.opened`; an event without an action is its name alone. */
  kind: z.string(),
  /** `owner/name`; null where the event is about no repository. */
  repository: z.string().nullable(),
  private: z.boolean(),
  archived: z.boolean(),
  actor: z.string(),
  summary: z.string(),
});

export type Classification = z.output<typeof classification>;

export const notice = z.strictObject({
  channel: z.enum(["security", "on-call", "engineering", "support", "releases", "office"]),
  text: z.string().min(1).max(500),
  repository: z.string().nullable(),
  private: z.boolean(),
  archived: z.boolean(),
});

export type Notice = z.output<typeof notice>;

/** What `route` answers: who should hear first, and everyone who should. */
export interface Routed {
  readonly first: Notice;
  readonly notices: readonly Notice[];
}
