// Clauses that cover nothing that the server takes now: most likely a slip. A warning, no fault: a plugin that is added later
// may bring the message.

import { nearest, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Answer, Send } from "../remote/ask.ts";
import type { Target } from "../settings/target.ts";
import type { DescribedMessage } from "./described.ts";

/** Of what is registered, beside messages. A protocol of somebody's own may have others. */
const RIGHTS = ["file.read", "file.write", "process.run", "http.connect", "secret.use"];

/** What to ask in the same round trip. A grant that may not list messages would leave a refusal in the log each time. */
export function messagesFor(target: Target, clauses: unknown, send: Send): readonly ReturnType<Send>[] {
  return target.administrator && Array.isArray(clauses) && clauses.length > 0 ? [send("message.list")] : [];
}

/** @param flag that the clauses were said by @param listed what `message.list` answered, where it was asked */
export function warnOfClauses({ printer }: Cli, flag: string, clauses: unknown, listed: Answer | undefined): void {
  const messages = listed !== undefined && "value" in listed ? (listed.value as readonly DescribedMessage[]) : [];
  if (messages.length === 0) return;
  const names = messages.map(({ name }) => name);
  for (const warning of clauseWarnings(clauses, names, flag)) printer.warn(warning);
}

/** `names`: of all messages, `action.perform`. What is no clause at all is the server's to refuse. */
export function clauseWarnings(clauses: unknown, names: readonly string[], flag = "--allow"): string[] {
  if (!Array.isArray(clauses)) return [];
  return clauses.flatMap((clause) => (typeof clause === "string" ? (warning(clause, names, flag) ?? []) : []));
}

function warning(clause: string, names: readonly string[], flag: string): string | undefined {
  const [, resource, verb = "*", rest = ""] = /^(\*|\w+)(?:\.(\*|\w+))?(:.*)?$/.exec(clause) ?? [];
  if (resource === undefined) return undefined;
  const covers = (said: string, word: string | undefined): boolean => said === "*" || said === word;
  const known = [...names, ...RIGHTS];
  const parts = known.map((name) => name.split("."));
  if (parts.some(([one, two]) => covers(resource, one) && covers(verb, two))) {
    // What a message is about has no comma in its name. What a right is of may have one.
    const several = /,\s*(?:\*|\w+\.(?:\*|\w+))/.test(rest);
    return several ? `${printable(clause)} is one clause, comma and all; say ${flag} once for each` : undefined;
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
