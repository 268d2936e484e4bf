// The default composition's order, as the compiler sees it: read by `npm run types`, never run. An expected error that does
// not come is itself an error. What the compiler cannot see is checked at start: standard.test.ts.

import { authority, createOrchestrator, defineConfig, definePlugin, next } from "@capstan/orchestrator";
import { auth } from "./auth/auth.ts";
import { deadLetter } from "./dead-letter/dead-letter.ts";
import { executor } from "./executor/executor.ts";
import { ledger } from "./ledger/ledger.ts";
import { peerPropagation } from "./peer-propagation/peer-propagation.ts";
import { publisher } from "./publisher/publisher.ts";
import { registry } from "./registry/registry.ts";
import type { actions } from "./registry/schema.ts";
import { standard } from "./standard.ts";

const performs = executor({ protocols: [] });
const afterHours = definePlugin({
  name: "after-hours",
  needs: [authority],
  decide: ({ needs }) => next({ clause: needs.authority.principal }),
});

createOrchestrator({ plugins: standard() });
createOrchestrator({ plugins: [auth(), registry(), deadLetter(), performs, ledger()] });
createOrchestrator({ plugins: [auth(), deadLetter(), registry(), performs, ledger()] });
createOrchestrator({ plugins: [auth(), registry(), deadLetter(), performs, publisher(), ledger()] });
createOrchestrator({ plugins: [auth(), registry(), deadLetter(), performs, publisher(), peerPropagation(), ledger()] });
defineConfig({ plugins: [auth(), afterHours, registry(), deadLetter(), performs, ledger()] });

// @ts-expect-error: the executor before the registry, whose actions it needs
createOrchestrator({ plugins: [auth(), deadLetter(), performs, registry(), ledger()] });
// @ts-expect-error: the executor before the dead letters that it needs
createOrchestrator({ plugins: [auth(), registry(), performs, deadLetter(), ledger()] });
// @ts-expect-error: dead letters before auth
createOrchestrator({ plugins: [deadLetter(), auth(), registry(), performs, ledger()] });
// @ts-expect-error: an executor without dead letters
createOrchestrator({ plugins: [auth(), registry(), performs, ledger()] });
// @ts-expect-error: the publisher before the executor, whose protocols and executions it needs
createOrchestrator({ plugins: [auth(), registry(), deadLetter(), publisher(), performs, ledger()] });
// @ts-expect-error: peers before the publisher, whose topics they carry
createOrchestrator({ plugins: [auth(), registry(), deadLetter(), performs, peerPropagation(), publisher(), ledger()] });
// @ts-expect-error: the registry before auth
createOrchestrator({ plugins: [registry(), auth(), deadLetter(), performs, ledger()] });
// @ts-expect-error: the ledger before auth
createOrchestrator({ plugins: [ledger(), auth(), registry(), deadLetter(), performs] });
// @ts-expect-error: nobody establishes the authority
createOrchestrator({ plugins: [registry(), deadLetter(), performs, ledger()] });
// @ts-expect-error: an operator's plugin before auth, in a configuration
defineConfig({ plugins: [afterHours, auth(), registry(), deadLetter(), performs, ledger()] });

// A registry whose `adds` may not be there counts as one without it.
declare const perhaps: Omit<ReturnType<typeof registry>, "adds"> & { readonly adds?: readonly [typeof actions] };
// @ts-expect-error: nothing certainly adds "actions"
createOrchestrator({ plugins: [auth(), perhaps, deadLetter(), performs, ledger()] });
