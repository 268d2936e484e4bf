// A plugin for rehearsals: what is dangerous waits until somebody has approved of it.

import { authority, definePlugin, hold, next, refuse } from "@capstan/orchestrator";

/** Performing an action of this name is held; approved with "yes" it goes on. */
export const approval = (name: string) =>
  definePlugin({
    name: "approval",
    version: "1",
    configuration: { name },
    needs: [authority],
    faults: { APPROVAL_DENIED: { status: 403, retryable: false, text: "Somebody looked at it and said no." } },
    decide({ message, envelope }) {
      if (message.resource !== "action" || message.action !== "perform") return next();
      if ((message.data as { name: string }).name !== name) return next();
      const { approval: outcome } = envelope.facts;
      if (outcome === undefined) return hold("approval", undefined, `${name} is approved by somebody`);
      return outcome === "yes" ? next({ clause: "approved" }) : refuse("APPROVAL_DENIED", `${name}: ${outcome}`);
    },
  });
