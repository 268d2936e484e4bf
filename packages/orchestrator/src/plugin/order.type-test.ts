// What the compiler must accept and must not: read by `npm run types`, never run. An expected error that does not come is
// itself an error.

import { createOrchestrator } from "../orchestrator.ts";
import { definePlugin, type Plugin } from "./plugin.ts";
import { next } from "./result.ts";
import { type Authority, authority, token } from "./token.ts";

const badge = token<{ readonly color: string }>()("badge");

const admits = definePlugin({
  name: "admits",
  adds: [authority],
  decide: ({ envelope }) =>
    next({
      adds: {
        authority: {
          principal: envelope.principal,
          grant: envelope.grant,
          reads: () => true,
          writes: () => true,
          allows: () => undefined,
        },
      },
    }),
});
const badges = definePlugin({
  name: "badges",
  needs: [authority],
  adds: [badge],
  decide: ({ needs }) => next({ adds: { badge: { color: needs.authority.principal } } }),
});
const reads = definePlugin({
  name: "reads",
  needs: [authority, badge],
  decide: ({ needs }) => next({ clause: needs.badge.color }),
});

createOrchestrator({ plugins: [admits, badges, reads] });
// @ts-expect-error: two swapped plugins
createOrchestrator({ plugins: [admits, reads, badges] });
// @ts-expect-error: the first needs what nobody added
createOrchestrator({ plugins: [badges, admits, reads] });

// A list put together at run time compiles; it is checked at start.
const atRunTime: readonly (typeof admits | typeof badges | typeof reads)[] = [reads, badges, admits];
createOrchestrator({ plugins: atRunTime });

// An `adds` that may not be there counts as not there.
declare const sometimes: Omit<typeof badges, "adds"> & { readonly adds?: readonly [typeof badge] };
// @ts-expect-error: `adds` is optional
createOrchestrator({ plugins: [admits, sometimes, reads] });
declare const unnamed: Omit<typeof badges, "adds"> & { readonly adds: readonly ReturnType<typeof anyToken>[] };
declare function anyToken(): { readonly name: string };
// @ts-expect-error: which tokens it adds is not known
createOrchestrator({ plugins: [admits, unnamed, reads] });

definePlugin({
  name: "forgets",
  adds: [authority],
  // @ts-expect-error: says next without adding what it declares
  decide: () => next(),
});
definePlugin({
  name: "mistypes",
  adds: [authority],
  decide: () =>
    // @ts-expect-error: the token's value has another type
    next({
      adds: { authority: { principal: 1, grant: "g", reads: () => true, writes: () => true, allows: () => undefined } },
    }),
});
definePlugin({
  name: "presumes",
  // @ts-expect-error: reads a token that it does not need
  decide: ({ needs }) => next({ clause: needs.authority.principal }),
});

declare const body: Omit<typeof badges, "adds">;
// @ts-expect-error: a type that promises `adds` needs the value
export const hollow: Plugin<readonly [typeof authority], readonly [typeof badge]> = body;
export type { Authority };
