// A plugin of an operator's: nobody is told of what happens in a private or an archived repository. It stands behind auth,
// so that whom it refuses is known, and before the executor, so that nothing has run.

import { authority, definePlugin, next, refuse } from "@capstan/orchestrator";

const quietRepositoryFaults = {
  QUIET_REPOSITORY: {
    status: 403,
    retryable: false,
    text: "The repository is private or archived: nobody is told of it.",
  },
};

/** Refuses performs of `actions` whose input says that its repository is private or archived. */
export const quietRepositories = (...actions: readonly string[]) =>
  definePlugin({
    name: "quiet-repositories",
    configuration: { actions },
    needs: [authority],
    faults: quietRepositoryFaults,
    decide({ message, needs }) {
      if (message.resource !== "action" || message.action !== "perform") return next();
      const { name, input } = message.data as { readonly name: string; readonly input?: unknown };
      if (!actions.includes(name)) return next();
      const about = (input ?? {}) as { readonly repository?: unknown; private?: unknown; archived?: unknown };
      const quiet = about.private === true ? "private" : about.archived === true ? "archived" : undefined;
      if (quiet === undefined) return next();
      const text = `${name}: ${String(about.repository)} is ${quiet}; ${needs.authority.principal} may not tell of it`;
      return refuse("QUIET_REPOSITORY", text, { clause: `${quiet} repositories are quiet` });
    },
  });
