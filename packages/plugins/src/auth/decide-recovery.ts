// How an administrator who has lost the credential gets another: `admin.recover`, which only whoever has the node's files can
// ask for. Every string by which the root grant was presented until then ends; grants made under it stay.

import { done, type Envelope, refuse, type State } from "@capstan/orchestrator";
import { nextGrantId } from "./grant-messages.ts";
import { credentialTable, type GrantRow, grantTable, principalTable } from "./schema.ts";

export function decideRecovery(envelope: Envelope, state: State, admin: string) {
  const { credential } = envelope.message.data as { credential: string };
  const [grant, granted] = rootGrant(envelope, state, admin);
  const holder = state.get(credentialTable, credential);
  if (holder !== undefined && holder.grant !== grant.id)
    return refuse("CREDENTIAL_TAKEN", "this credential is in use; make another of 32 random bytes");
  let after = granted;
  for (const [digest, row] of state.rows(credentialTable)) {
    if (row.grant === grant.id && digest !== credential) after = after.remove(credentialTable, digest);
  }
  if (holder === undefined)
    after = after.put(credentialTable, credential, { grant: grant.id, kind: "bearer", at: envelope.at });
  return done({ data: { principal: grant.principal, grant: grant.id }, state: after });
}

/** The oldest that is alive and was made under none; or one that is made. What was revoked stays so. */
function rootGrant({ principal: by, at }: Envelope, state: State, admin: string): [GrantRow, State] {
  const roots = [...state.rows(grantTable)].map(([, grant]) => grant).filter(({ parent }) => parent === undefined);
  roots.sort((a, b) => Number(a.id.slice(2)) - Number(b.id.slice(2)));
  const isAlive = (name: string): boolean => state.get(principalTable, name)?.revoked === undefined;
  const alive = roots.find((grant) => grant.revoked === undefined && isAlive(grant.principal));
  if (alive !== undefined) return [alive, state];
  const id = nextGrantId(state);
  const name = isAlive(admin) ? admin : `${admin}-${id}`;
  const rights = { allow: ["*"], read: ["*"], write: ["*"], delegable: true };
  const grant: GrantRow = { id, principal: name, ...rights, by, at };
  const known =
    state.get(principalTable, name) === undefined ? state.put(principalTable, name, { name, by, at }) : state;
  return [grant, known.put(grantTable, id, grant)];
}
