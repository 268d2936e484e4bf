// Clauses that cover nothing that the server takes now: most likely a slip. A warning, no fault: a plugin that is added later
// may bring the message.

import { nearest, printable } from "@capstan/orchestrator/remote";

/** Of what is registered, beside messages. A protocol of somebody's own may have others. */
const RIGHTS = ["file.read", "file.write", "process.run", "http.connect", "secret.use"];

/** `names`: of all messages, `action.perform`. What is no clause at all is the server's to refuse. */
export function clauseWarnings(clauses: unknown, names: readonly string[]): string[] {
  if (!Array.isArray(clauses)) return [];
  return clauses.flatMap((clause) => (typeof clause === "string" ? (warning(clause, names) ?? []) : []));
}

function warning(clause: string, names: readonly string[]): string | undefined {
  const [, resource, verb = "*", rest = ""] = /^(\*|\w+)(?:\.(\*|\w+))?(:.*)?$/.exec(clause) ?? [];
  if (resource === undefined) return undefined;
  const covers = (said: string, word: string | undefined): boolean => said === "*" || said === word;
  const known = [...names, ...RIGHTS];
  const parts = known.map((name) => name.split("."));
  if (parts.some(([one, two]) => covers(resource, one) && covers(verb, two))) {
    // What a message is about has no comma in its name. What a right is of may have one.
    const several = /,\s*(?:\*|\w+\.(?:\*|\w+))/.test(rest);
    return several ? `${printable(clause)} is one clause, comma and all; say --allow once for each` : undefined;
  }
  const meant =
    verb === "*"
      ? withVerb(nearest(resource, new Set(parts.map(([one = ""]) => one))), "*")
      : resource === "*"
        ? nearest(`*.${verb}`, new Set(parts.map(([, two = ""]) => `*.${two}`)))
        : nearest(`${resource}.${verb}`, known);
  const hint = meant === undefined ? "capstan messages lists them" : `did you mean ${meant}${rest}?`;
  return `${printable(clause)} covers no message that there is; ${printable(hint)}`;
}

function withVerb(resource: string | undefined, verb: string): string | undefined {
  return resource === undefined ? undefined : `${resource}.${verb}`;
}
