// A plugin of an operator's: actions are performed within opening hours and refused outside of them. It decides on the
// message's own time, so that history can be explained, and replayed, as it was.

import { authority, definePlugin, next, refuse } from "@capstan/orchestrator";

/** Hours of the day, UTC: from `open` until before `close`. */
export const businessHours = (open: number, close: number) =>
  definePlugin({
    name: "business-hours",
    version: "1",
    configuration: { open, close }, // recorded in the log: a start with other hours is another composition
    needs: [authority], // a token: what an earlier plugin must have added
    faults: {
      BUSINESS_HOURS_CLOSED: {
        status: 403,
        retryable: true,
        text: "Actions are performed within opening hours only; the text names them.",
      },
    },
    decide({ message, envelope, needs }) {
      if (message.resource !== "action" || message.action !== "perform") return next();
      const hour = new Date(envelope.at).getUTCHours();
      if (hour >= open && hour < close) return next({ clause: `open ${open} to ${close}` });
      return refuse(
        "BUSINESS_HOURS_CLOSED",
        `${needs.authority.principal}: closed at ${hour}:00 UTC; open ${open} to ${close}`,
        { clause: `open ${open} to ${close}` },
      );
    },
  });
