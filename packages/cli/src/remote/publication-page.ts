// What `subscription.read` answers, as far as it is looked at.

import { z } from "zod";
import { answerFault } from "../fault/thrown.ts";

const pageSchema = z.object({
  items: z.array(z.looseObject({ topic: z.string(), cursor: z.string(), id: z.string(), at: z.number() })),
  next: z.string(),
  /** Where the log is: `next` where there is no more for now. */
  head: z.string(),
});

export type Publication = z.output<typeof pageSchema>["items"][number];

/** @throws FaultError ANSWER_INVALID */
export function pageOf(answer: unknown): z.output<typeof pageSchema> {
  const page = pageSchema.safeParse(answer);
  if (page.success) return page.data;
  const where = page.error.issues[0]?.path.join(".") ?? "";
  throw answerFault("subscription.read", `is no page of publications${where && ` at ${where}`}`);
}
