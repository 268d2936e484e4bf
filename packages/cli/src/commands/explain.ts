// `capstan explain`: why a message was decided as it was, and what became of it at the peers that it was asked of. An execution's id
// stands for the message that asked for it, a dead letter's for the one that added it.

import type { Fault } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { type Explained, explanation } from "../output/explanation.ts";
import { peersExplained, type Told } from "../output/peers-explained.ts";
import { shown } from "../output/shown.ts";
import { type Answer, answered, askAll } from "../remote/ask.ts";
import { messageNamed, NAMES_MESSAGE } from "../remote/named-message.ts";

/** As `--json` prints it. */
type Answered = Explained & { readonly peers?: readonly Told[]; readonly peersNotAsked?: Fault };

export function explainCommand(program: Command, cli: Cli): void {
  program
    .command("explain")
    .description(
      "Tell why a message was decided as it was, plugin by plugin; and at the peers it was asked of, as they tell.",
    )
    .argument("<id>", NAMES_MESSAGE)
    .examples("capstan explain m-01J8…", "capstan explain 12")
    .action(async (named: string) => {
      const [here, there] = await askAll(await cli.target(), (send) => {
        const of = messageNamed(send, named);
        return [send("log.explain", of), send("peer.explain", of)];
      });
      const answer = withPeers(answered(here) as Explained, there);
      cli.printer.data(answer, () => {
        const { peers = [], peersNotAsked: why } = answer;
        const notAsked = why === undefined ? "" : `  peers      not asked  ${shown(`${why.code}: ${why.message}`)}\n`;
        return explanation(answer) + peersExplained(peers) + notAsked;
      });
    });
}

/** A node that does not peer has nobody to ask, and of what was not asked of peers nobody has to be. */
function withPeers(explained: Explained, there: Answer): Answered {
  if ("fault" in there) return wasAskedElsewhere(explained) ? { ...explained, peersNotAsked: there.fault } : explained;
  const { peers } = Object(there.value) as { readonly peers?: readonly Told[] };
  return Array.isArray(peers) && peers.length > 0 ? { ...explained, peers } : explained;
}

/** What a node answers is read as it may be. */
function wasAskedElsewhere(explained: Explained): boolean {
  const { rows } = Object(explained) as Partial<Explained>;
  return Array.isArray(rows) && rows.some((row) => Object(Object(row)[2]).elsewhere !== undefined);
}
