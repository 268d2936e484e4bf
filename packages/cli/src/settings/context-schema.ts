// What the file of contexts holds. It is loaded where there is such a file: a schema takes its time.

import { z } from "zod";

/** Paths are absolute. */
const contextSchema = z.strictObject({
  url: z.string().min(1),
  tokenFile: z.string().min(1).optional(),
  ca: z.string().min(1).optional(),
  serverPin: z.string().min(1).optional(),
});
export const nameSchema = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u);

export const contextsSchema = z.strictObject({
  /** The one in use where nothing else is said. */
  current: nameSchema.optional(),
  contexts: z.record(nameSchema, contextSchema),
});

export type Context = z.output<typeof contextSchema>;
export type Contexts = z.output<typeof contextsSchema>;
