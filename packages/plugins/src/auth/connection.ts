// How a bearer credential becomes a scope. It is known by its digest; whether its grant is still good is asked with every call.

import { defineConnection } from "@capstan/orchestrator";
import { z } from "zod";
import { credentialDigest } from "./credential.ts";
import { isFault, lineage } from "./grant.ts";
import { credentialTable, grantTable, isReserved } from "./schema.ts";

const NEVER = Number.NEGATIVE_INFINITY;

export const connectionFromCli = defineConnection({
  input: z.string().min(1).max(200),
  bearer: true,
  open: (reader) => !reader.rows(credentialTable)[Symbol.iterator]().next().done,
  verify(credential, reader) {
    const row = reader.get(credentialTable, credentialDigest(credential));
    const grant = row === undefined ? undefined : reader.get(grantTable, row.grant);
    // Whether it has expired is asked with each call, of the clock that decisions have.
    // Nobody becomes another node by a bearer's credential, whoever made one before such names were reserved.
    if (grant === undefined || isReserved(grant.principal) || isFault(lineage(reader, grant.id, NEVER))) {
      return { code: "CREDENTIAL_INVALID", message: "no grant goes by this credential; it may have been revoked" };
    }
    return { principal: grant.principal, grant: grant.id };
  },
});
