// The first plugin: who asks, under which grant, and whether that grant covers it. Deny by default. It also owns the
// messages by which principals and grants are made and ended.

import {
  type Authority,
  authority,
  definePlugin,
  done,
  type Envelope,
  FaultError,
  fault,
  namespaceOf,
  next,
  type PluginContext,
  type Right,
  refuse,
  type State,
} from "@capstan/orchestrator";
import { namespaceCovers } from "../clause.ts";
import { type AdminFacts, adminFacts } from "./admin-token.ts";
import { answerGrants, answerPrincipals } from "./answer.ts";
import { connectionFromCli } from "./connection.ts";
import { decideRecovery } from "./decide-recovery.ts";
import { allow, isFault, lineage, NODE } from "./grant.ts";
import { decideGrant } from "./grant-messages.ts";
import {
  authFaults,
  authMessages,
  credentialTable,
  type GrantRow,
  grantTable,
  isReserved,
  principalTable,
} from "./schema.ts";

export interface AuthOptions {
  /** Name of the principal that the first start makes. */
  readonly admin?: string;
}

/** The plugin that verifies who asks, under which grant; and owns principals, grants and credentials. */
export function auth({ admin = "admin" }: AuthOptions = {}) {
  if (isReserved(admin))
    throw new FaultError(
      fault("COMPOSITION_INVALID", `auth: admin "${admin}": names that begin with "peer." are peers'`),
    );
  return definePlugin({
    name: "auth",
    version: "1",
    configuration: { admin },
    adds: [authority],
    messages: authMessages,
    tables: [principalTable, grantTable, credentialTable],
    faults: authFaults,
    prepare: { "pipeline.adopt": (_envelope, reader) => adminFacts(reader) },
    decide(context) {
      const { envelope, message, state } = context;
      if (envelope.internal && message.resource === "admin" && message.action === "recover") {
        const decided = decideRecovery(envelope, state, admin);
        if (decided.kind === "refused") return decided;
        const { data, state: after } = decided;
        return done({ data, state: after, adds: { authority: authorityOf(envelope, EVERYTHING) } });
      }
      if (envelope.internal && message.resource === "grant") return decideOwn(context);
      if (envelope.internal) return admit(envelope, bootstrap(envelope, state, admin), EVERYTHING);
      const grants = lineage(state, envelope.grant, envelope.at);
      if (isFault(grants)) return refuse(grants.code, grants.message);
      const grant = grants[0] as GrantRow;
      if (grant.principal !== "" && grant.principal !== envelope.principal) {
        return refuse("GRANT_UNKNOWN", `${grant.id} is not a grant of ${envelope.principal}`);
      }
      return decideFor(context, grants, grant);
    },
    answer: { "principal.list": answerPrincipals, "grant.list": answerGrants },
    connections: { connectionFromCli },
  });
}

/** What the node itself does about grants: it may all of it. */
function decideOwn({ envelope, message, state }: PluginContext) {
  const decided = decideGrant(message, envelope, state, NODE);
  if (decided === undefined) return admit(envelope, undefined, EVERYTHING);
  if (decided.kind === "refused") return decided;
  return done({ data: decided.data, state: decided.state, adds: { authority: authorityOf(envelope, EVERYTHING) } });
}

type Rights = Pick<Authority, "reads" | "writes" | "allows">;

const EVERYTHING: Rights = { reads: () => true, writes: () => true, allows: () => undefined };

/** That a grant covers a message about grants says not yet that it may be passed on so. */
const WIDER: ReadonlySet<string> = new Set(["GRANT_WIDER", "GRANT_NOT_DELEGABLE"]);

function decideFor(
  { envelope, message, definition, asking, state }: PluginContext,
  grants: readonly GrantRow[],
  grant: GrantRow,
) {
  const asked = { resource: message.resource, verb: message.action, name: definition.target?.(message.data as never) };
  const usual = definition.kind === "query" ? "read" : "write";
  const right = definition.about === "id" ? undefined : (definition.right ?? usual);
  const allowed = allow(grant, envelope.may, asked, right, definition.namespace?.(message.data as never));
  if ("kind" in allowed) return allowed;
  // Whoever only asks uses nothing up: what it asks of was counted when it was decided.
  const counted = definition.kind === "command" && !asking ? count(state, grants) : state;
  if (typeof counted === "string")
    return refuse("GRANT_SPENT", `${counted} was good for a number of commands, and they were made`);
  const { clause } = allowed;
  const rights = {
    reads: (name: string) => namespaceCovers(grant.read, namespaceOf(name)),
    writes: (name: string) => namespaceCovers(grant.write, namespaceOf(name)),
    allows(right: Right) {
      const covered = allow(grant, envelope.may, right, undefined);
      return "kind" in covered ? covered.error : undefined;
    },
  };
  if (message.resource === "grant" || message.resource === "principal") {
    const decided = decideGrant(message, envelope, counted, grant);
    // Who repeats it is asked how wide it is, and not whether it was done.
    const again = asking && !(decided?.kind === "refused" && WIDER.has(decided.error.code));
    if (decided === undefined || again) return admit(envelope, counted === state ? undefined : counted, rights, clause);
    if (decided.kind === "refused") return decided;
    return done({
      data: decided.data,
      state: decided.state,
      clause,
      adds: { authority: authorityOf(envelope, rights) },
    });
  }
  return admit(envelope, counted === state ? undefined : counted, rights, clause);
}

function admit(envelope: Envelope, state: State | undefined, rights: Rights, clause?: string) {
  return next({ state, clause, adds: { authority: authorityOf(envelope, rights) } });
}

function authorityOf({ principal, grant }: Envelope, { reads, writes, allows }: Rights): Authority {
  return { principal, grant, reads, writes, allows };
}

/** One use less of every counted grant in the line; the id of one that has none left. */
function count(state: State, grants: readonly GrantRow[]): State | string {
  let after = state;
  for (const grant of grants) {
    if (grant.uses === undefined) continue;
    if (grant.uses < 1) return grant.id;
    after = after.put(grantTable, grant.id, { ...grant, uses: grant.uses - 1 });
  }
  return after;
}

/** The first start's one unlimited grant, for the credential that `prepare` made. */
function bootstrap(envelope: Envelope, state: State, admin: string): State | undefined {
  const facts = envelope.facts["auth.admin"] as AdminFacts | undefined;
  if (facts === undefined || state.get(grantTable, "g-1") !== undefined) return undefined;
  const { at } = envelope;
  const by = envelope.principal;
  return state
    .put(principalTable, admin, { name: admin, by, at })
    .put(grantTable, "g-1", {
      id: "g-1",
      principal: admin,
      allow: ["*"],
      read: ["*"],
      write: ["*"],
      delegable: true,
      by,
      at,
    })
    .put(credentialTable, facts.credential, { grant: "g-1", kind: "bearer", at });
}
