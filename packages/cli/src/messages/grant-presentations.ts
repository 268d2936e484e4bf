// Principals and grants: a credential is made here, in a file of the caller's, and told by its digest.

import { FaultError } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { usageFault } from "../fault/thrown.ts";
import { instantOf } from "../input/duration.ts";
import { makeSecretFile } from "../input/secret-file.ts";
import { columns, instant } from "../output/columns.ts";
import { EVERYBODYS, peerClauses } from "../output/peer-text.ts";
import { shown } from "../output/shown.ts";
import { answered, askAll } from "../remote/ask.ts";
import { messagesFor, warnOfClauses } from "./clause-warnings.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";

interface Row {
  readonly id: string;
  readonly name: string;
  readonly principal: string;
  readonly allow: readonly string[];
  readonly parent?: string;
  readonly expires?: number;
  readonly uses?: number;
  readonly by: string;
  readonly at: number;
  readonly revoked?: number;
}

/** Names that begin so are peers', and nobody else's. */
const PEER = "peer.";

const LIMITS = {
  allow: "a clause of what it covers: action.perform:greet, action.*, *; may be given more than once",
  read: "a namespace that its queries may tell of, or *; may be given more than once",
  write: "a namespace that its commands may touch, or *; may be given more than once",
  uses: "how many commands it is good for",
  delegable: "its holder may make others of it",
};
const CREDENTIAL = { credential: "SHA-256 of a secret of one's own, sha256-…; --out makes one" };

function configure(command: Command): void {
  command.option("--out <file>", "make a credential, in a new file of mode 0600");
}

function configureLimits(command: Command): void {
  command.option("--expires <when>", "7d, 2h, or 2026-12-01T00:00Z");
}

export const grantPresentations: Readonly<Record<string, Presentation>> = {
  "principal.create": { text: (answer) => `principal ${shown((answer as Row).name)}\n` },
  "principal.revoke": { text: (answer) => `revoked ${shown((answer as Row).name)}\n` },
  "principal.list": {
    text: (answer) =>
      columns(itemsOf(answer).map(({ name, by, at, revoked }) => [name, instant(at), `by ${by}`, ended(revoked)])),
  },
  "grant.create": {
    hidden: ["expires"],
    texts: { ...LIMITS, ...CREDENTIAL, principal: "whose it is; made where there is none of the name" },
    examples: [
      "capstan grant create bob --allow action.perform:greet --out bob.token",
      "capstan grant create ci --allow 'action.perform:build/*' --write build --expires 30d --out ci.token",
    ],
    configure(command) {
      configure(command);
      configureLimits(command);
    },
    run: makeGrant,
  },
  "grant.attenuate": { hidden: ["expires"], texts: LIMITS, configure: configureLimits, run: makeGrant },
  "grant.seal": {
    subject: "grant",
    saidBy: { credential: ["out"] },
    texts: { ...CREDENTIAL, grant: "its id, like g-2 (default: the one asked under)" },
    examples: ["capstan grant seal g-2 --out bob.seal"],
    configure,
    run: makeGrant,
  },
  "grant.revoke": {
    text(answer) {
      const { grant, derived } = answer as { grant: string; derived: number };
      return `revoked ${shown(grant)}${derived > 0 ? `, and ${derived} made under it` : ""}\n`;
    },
  },
  "grant.list": {
    text: (answer) =>
      columns(
        itemsOf(answer).map(({ id, principal, allow, parent, expires, uses, revoked }) => [
          id,
          principal,
          principal.startsWith(PEER) ? ofPeer(allow) : allow.join(", "),
          parent === undefined ? "" : `under ${parent}`,
          [
            expires === undefined ? "" : `until ${instant(expires)}`,
            uses === undefined ? "" : `${uses} uses`,
            ended(revoked),
          ]
            .filter(Boolean)
            .join(", "),
        ]),
      ),
  },
};

/** What the server is sure not to have done: whatever it answered, but that it did not answer. */
const UNSURE = ["UNREACHABLE", "INTERNAL"];

async function makeGrant(cli: Cli, { name, data, flags, options }: PresentedCall): Promise<void> {
  if (typeof flags.expires === "string") {
    const at = instantOf(flags.expires, "--expires", Date.now());
    if (at < Date.now()) throw usageFault(`--expires "${flags.expires}" is over: ${instant(at)}`);
    data.expires = at;
  }
  const target = await cli.target();
  const { out } = flags;
  const secret = typeof out === "string" ? await makeSecretFile(cli.io, out) : undefined;
  if (secret !== undefined) data.credential = secret.digest;
  let answer: { readonly principal: string; readonly grant: string };
  try {
    const [made, listed] = await askAll(target, (send) => {
      return [send(name, data, options), ...messagesFor(target, data.allow, send)];
    });
    answer = answered(made as NonNullable<typeof made>) as typeof answer;
    warnOfClauses(cli, "--allow", data.allow, listed);
  } catch (thrown) {
    if (secret !== undefined && thrown instanceof FaultError && !UNSURE.includes(thrown.code)) await secret.remove();
    throw thrown;
  }
  const { principal, grant } = answer;
  cli.printer.data({ principal, grant, ...(secret === undefined ? {} : { file: out }) }, () => {
    return `grant ${shown(grant)}${secret === undefined ? `  ${shown(principal)}` : ` → ${shown(String(out))} (0600)`}\n`;
  });
  if (data.credential === undefined)
    cli.printer.note(`  nobody can present it yet: capstan grant seal ${shown(grant)} --out FILE`);
}

/** A dozen clauses are each peer's. */
function ofPeer(allow: readonly string[]): string {
  const own = peerClauses(allow);
  return own.endsWith(EVERYBODYS) ? own : `${own}, and ${EVERYBODYS}`;
}

function itemsOf(answer: unknown): readonly Row[] {
  return (answer as { items: readonly Row[] }).items;
}

function ended(revoked: number | undefined): string {
  return revoked === undefined ? "" : `revoked ${instant(revoked)}`;
}
