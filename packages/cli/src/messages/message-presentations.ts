// Waiting again for what was answered pending: for as long as it takes, and Ctrl-C leaves it to go on once more.

import type { Cli } from "../cli.ts";
import { waitingAt } from "../output/waiting.ts";
import { answered, converse } from "../remote/ask.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";

export const messagePresentations: Readonly<Record<string, Presentation>> = {
  "message.attach": {
    texts: { id: "of the message, m-…, as perform told it" },
    examples: ["capstan message attach m-01J8…"],
    run: attach,
  },
};

async function attach(cli: Cli, { data }: PresentedCall): Promise<void> {
  cli.printer.data(await attached(cli, data));
}

/** What came of a message. @throws FaultError, DETACHED where a person did not wait for it */
export async function attached(cli: Cli, data: object, options?: object): Promise<unknown> {
  const { id } = data as { readonly id?: unknown };
  const waiting = waitingAt(cli, async () => ({ what: String(id), attach: `capstan message attach ${String(id)}` }));
  const asked = await converse(await cli.target(), (send) => [
    waiting.of(send("message.attach", data, options)),
  ]).finally(waiting.end);
  return answered(asked[0]);
}
