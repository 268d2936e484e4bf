// What a neighbour answers when it is asked what became of a message: another administration's word, and that of whoever is behind it.
// Plain data within bounds, texts cut and made printable, and what has no place in it left out.

import { printable } from "@capstan/orchestrator";
import { z } from "zod";
import { plainJson } from "../../registry/plain-json.ts";
import { MESSAGE } from "../forward/far-answer.ts";
import { DISCLOSURES } from "../schema.ts";
import { type Account, MOST_PLUGINS, STATES, type Told } from "./account.ts";

/** As deep as anything may be asked (DESIGN.md §3). */
export const MOST_HOPS = 16;
/**
 * What one node tells at most (account.ts), and in how many levels: as often as nodes may come behind it. Who is nearer has room for
 * one more, so that nobody can tell so much that what the nodes before it say of themselves is refused with it.
 */
const OF_A_NODE = { depth: 4, bytes: 40 * 1024 };
/** Each node asks one; later ones may ask more. */
const MOST_PEERS = 8;

const text = (longest: number) => z.string().transform((said) => printable(said, longest));
const name = text(100);

const told: z.ZodType<Told> = z.lazy(() =>
  z.object({ name, node: name, said: account.optional(), silent: text(400).optional() }),
);

const account: z.ZodType<Account> = z.object({
  disclosed: z.enum(DISCLOSURES),
  id: z.string().regex(MESSAGE).optional(),
  state: z.enum(STATES).optional(),
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .optional(),
  plugin: name.optional(),
  text: text(2000).optional(),
  plugins: z
    .array(z.object({ plugin: name, verdict: text(20), clause: text(400).optional() }))
    .max(MOST_PLUGINS)
    .optional(),
  peers: z.array(told).max(MOST_PEERS).optional(),
});

/** @param hops of whoever asked: from where the first one asked */
export function readAccount(answer: unknown, hops: number): Account | { readonly why: string } {
  const nodes = Math.max(1, MOST_HOPS - hops);
  const plain = plainJson(answer, { depth: nodes * OF_A_NODE.depth, bytes: nodes * OF_A_NODE.bytes });
  if ("why" in plain) return { why: `what it answered ${plain.why}` };
  const read = account.safeParse(plain.json);
  return read.success ? read.data : { why: "what it answered is no explanation" };
}
