// Protocols: what actions and receivers can be registered with, and whether a configuration of one works.

import type { Cli } from "../cli.ts";
import { columns } from "../output/columns.ts";
import { ask } from "../remote/ask.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";
import { addTask, configureCarrier, TASK_TEXTS } from "./task-options.ts";

export const protocolPresentations: Readonly<Record<string, Presentation>> = {
  "protocol.list": {
    text: (answer) =>
      columns(
        (answer as { items: readonly { name: string; summary?: string }[] }).items.map(({ name, summary }) => [
          name,
          summary,
        ]),
      ),
  },
  "protocol.test": {
    saidBy: { protocol: ["protocol", "module", "script", "http", "process"] },
    texts: { protocol: "its name; left out where a flag says it", configuration: TASK_TEXTS.configuration },
    examples: [
      "capstan protocol test --http https://shop.example/orders",
      "capstan protocol test ftp --configuration @ftp.json",
    ],
    configure: configureCarrier,
    words: (words, { process }) => (process === true ? { words: [], rest: words } : { words, rest: [] }),
    run: test,
  },
};

async function test(cli: Cli, call: PresentedCall): Promise<void> {
  await addTask(cli, call);
  const answer = (await ask(await cli.target(), call.name, call.data)) as { readonly connected: boolean };
  cli.printer.data(answer, () =>
    answer.connected
      ? "it is configured well, and answers\n"
      : "it is configured well; it cannot tell whether it answers\n",
  );
}
