// What auth keeps and what can be asked of it: principals, grants, credentials. No secret is in any of it: a credential is
// made by its holder and known here by its SHA-256.

import { command, type FaultTable, NODE_GRANT, query, table } from "@capstan/orchestrator";
import { z } from "zod";
import { parseClause } from "../clause.ts";
import { credentialDigest } from "./credential.ts";

export interface PrincipalRow {
  readonly name: string;
  /** Who made it, and when (milliseconds since the epoch). */
  readonly by: string;
  readonly at: number;
  readonly revoked?: number;
}

export interface GrantRow {
  readonly id: string;
  readonly principal: string;
  /** The grant that it was made under; none wider can be. Only the first start's has none. */
  readonly parent?: string;
  /** Clauses: `action.perform:greet`. */
  readonly allow: readonly string[];
  /** Namespaces whose things queries may tell of, and commands may touch. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expires?: number;
  /** Commands that it is still good for. */
  readonly uses?: number;
  /** Whether its holder may make others of it. */
  readonly delegable: boolean;
  readonly by: string;
  readonly at: number;
  readonly revoked?: number;
}

export interface CredentialRow {
  readonly grant: string;
  readonly kind: "bearer" | "seal";
  readonly at: number;
}

export const principalTable = table<PrincipalRow>("principal");
/** By id. */
export const grantTable = table<GrantRow>("grant");
/** By the digest of the secret: `sha256-…`. */
export const credentialTable = table<CredentialRow>("credential");

const clauseSchema = z
  .string()
  .max(300)
  .refine((text) => parseClause(text) !== undefined, "must be a clause like action.perform:greet, action.*, or *");
const namespaceSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^(\*|[\w.~/-]+)$/, "must be a namespace, or *");
const principalName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9][\w.@~-]*$/, "must be letters, digits and . _ @ ~ -");
/** Those of other nodes (peer-propagation): what they may is the node's to say, and no credential makes anybody one of them. */
const RESERVED = /^peer\./;
const reservedName = principalName.regex(RESERVED, "must be a name of the node's own, like peer.berlin");

export function isReserved(name: string): boolean {
  return RESERVED.test(name);
}

const grantId = z.string().regex(/^g-\d{1,15}$/, "must be a grant's id, like g-2");

const limits = {
  allow: z.array(clauseSchema).min(1).max(200),
  read: z.array(namespaceSchema).max(200).optional(),
  write: z.array(namespaceSchema).max(200).optional(),
  // The latest that a Date can be (ECMA-262 §21.4.1.1).
  expires: z.number().int().positive().max(8_640_000_000_000_000).optional(),
  uses: z.number().int().positive().optional(),
  delegable: z.boolean().optional(),
};
const grantResult = z.object({ principal: z.string(), grant: z.string() });

const shownPrincipal = z.object({ name: z.string(), by: z.string(), at: z.number(), revoked: z.number().optional() });
const shownGrant = z.object({
  ...{ id: z.string(), principal: z.string(), parent: z.string().optional() },
  ...{ allow: z.array(z.string()), read: z.array(z.string()), write: z.array(z.string()) },
  ...{ expires: z.number().optional(), uses: z.number().optional(), delegable: z.boolean() },
  ...{ by: z.string(), at: z.number(), revoked: z.number().optional() },
});

/** As credentialDigest gives it: a secret sent in its place by mistake is refused at the edge, and not written down. */
const digestSchema = z
  .string()
  .regex(
    /^sha256-[A-Za-z0-9_-]{43}$/,
    "must be sha256- and the secret's SHA-256 in base64url; the secret itself stays yours",
  );

// The secret is hashed here, at the edge: what is decided and recorded holds its digest alone.
const secretSchema = z.string().min(16).max(200).transform(credentialDigest);

export const authMessages = {
  admin: {
    recover: command({
      internal: true,
      summary:
        "Give the administrator a new credential, and end the old ones: whoever has the node's files asked for it.",
      data: z.strictObject({ credential: digestSchema }),
      result: grantResult,
    }),
  },
  principal: {
    create: command({
      summary: "Make a principal: somebody who can be given grants.",
      data: z.strictObject({ name: principalName }),
      result: z.object({ name: z.string() }),
      about: "id",
      target: ({ name }) => name,
    }),
    list: query({
      summary: "List principals.",
      data: z.strictObject({ after: z.string().optional(), limit: z.number().int().min(1).max(1000).optional() }),
      result: z.object({ items: z.array(shownPrincipal), next: z.string().optional() }),
    }),
    revoke: command({
      summary: "End a principal: every grant of its is refused from here on.",
      data: z.strictObject({ name: principalName }),
      result: z.object({ name: z.string() }),
      about: "id",
      target: ({ name }) => name,
    }),
  },
  grant: {
    create: command({
      summary: "Make a grant for a principal, within one's own, and say by which credential it is presented.",
      data: z.strictObject({ principal: principalName, credential: digestSchema.optional(), ...limits }),
      result: grantResult,
      about: "id",
      target: ({ principal }) => principal,
    }),
    lend: command({
      internal: true,
      summary: "Make a grant for a name that is the node's own to give, within somebody's grant and in their name.",
      data: z.strictObject({
        principal: reservedName,
        allow: limits.allow,
        /** What it is made under, by whom, and what narrows them. */
        under: grantId.or(z.literal(NODE_GRANT)),
        by: z.string().min(1).max(200),
        may: z.array(z.string()).optional(),
      }),
      result: grantResult,
    }),
    attenuate: command({
      summary: "Make a narrower grant of one's own, and get a scope of it.",
      data: z.strictObject(limits),
      result: grantResult,
      scope: true,
    }),
    seal: command({
      summary: "Let one's own grant, or one made under it, be presented as a string as well.",
      data: z.strictObject({ grant: grantId.optional(), credential: digestSchema }),
      result: grantResult,
      about: "id",
      target: ({ grant }) => grant,
    }),
    redeem: command({
      summary: "Get the scope of a sealed string. Only its digest is recorded.",
      data: z.strictObject({ secret: secretSchema }),
      result: grantResult,
      scope: true,
    }),
    revoke: command({
      summary: "End a grant and all made under it.",
      data: z.strictObject({ grant: grantId }),
      result: z.object({ grant: z.string(), derived: z.number().int() }),
      about: "id",
      target: ({ grant }) => grant,
    }),
    list: query({
      summary: "List grants.",
      data: z.strictObject({
        principal: principalName.optional(),
        after: grantId.optional(),
        limit: z.number().int().min(1).max(1000).optional(),
      }),
      result: z.object({ items: z.array(shownGrant), next: z.string().optional() }),
    }),
  },
};

/** The faults of the plugin auth. */
export const authFaults = {
  REFUSED: {
    status: 403,
    retryable: false,
    text: "No clause of the grant covers what was asked; the text names both.",
  },
  NAMESPACE_REFUSED: {
    status: 403,
    retryable: false,
    text: "The grant has no right on the namespace of the name asked for.",
  },
  GRANT_UNKNOWN: { status: 403, retryable: false, text: "The grant does not exist." },
  GRANT_REVOKED: {
    status: 403,
    retryable: false,
    text: "The grant, one that it was made under, or its principal was revoked.",
  },
  GRANT_EXPIRED: { status: 403, retryable: false, text: "The grant, or one that it was made under, has expired." },
  GRANT_SPENT: {
    status: 403,
    retryable: false,
    text: "The grant was good for a number of commands, and they were made.",
  },
  GRANT_WIDER: {
    status: 403,
    retryable: false,
    text: "A grant cannot be wider than the one that it is made under; the text names the field.",
  },
  GRANT_NOT_DELEGABLE: { status: 403, retryable: false, text: "The grant may not be passed on." },
  CREDENTIAL_TAKEN: {
    status: 409,
    retryable: false,
    text: "The credential is in use; make another of 32 random bytes.",
  },
  PRINCIPAL_EXISTS: { status: 409, retryable: false, text: "There is a principal of that name." },
  PRINCIPAL_RESERVED: {
    status: 403,
    retryable: false,
    text: "Names that begin with `peer.` are those of peers, and what peers may comes with `peer.add` and `peer.invite`.",
  },
  PRINCIPAL_UNKNOWN: { status: 404, retryable: false, text: "There is no principal of that name." },
} as const satisfies FaultTable;
