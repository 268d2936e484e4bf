// The secrets of one call, for a text that is cut before it leaves the protocol: what is cut in the middle of a secret would no
// longer be found by whoever redacts the whole.

import { redaction } from "../secret/redaction.ts";
import { ownOf } from "./rendering.ts";
import { isReference } from "./template.ts";

/** `configuration` is what the protocol was given; `registered` has references where that has secrets. */
export function redactionOf(configuration: unknown, registered: unknown): (text: string) => string {
  const secrets = new Map(secretsIn(configuration, registered));
  return secrets.size === 0 ? (text) => text : redaction(secrets).text;
}

function secretsIn(configuration: unknown, registered: unknown): readonly (readonly [string, string])[] {
  if (isReference(registered)) return typeof configuration === "string" ? [[registered.secret, configuration]] : [];
  if (typeof registered !== "object" || registered === null) return [];
  return Object.keys(registered).flatMap((key) => secretsIn(ownOf(configuration, key), ownOf(registered, key)));
}
