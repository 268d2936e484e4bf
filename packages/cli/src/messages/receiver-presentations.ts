// Receivers: what carries one out is named by a flag, as an action's is.

import { printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import { brief } from "../output/brief.ts";
import { columns, instant } from "../output/columns.ts";
import { shown } from "../output/shown.ts";
import { answered, askAll } from "../remote/ask.ts";
import { messagesFor, warnOfClauses } from "./clause-warnings.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";
import { addTask, configureTask, splitProcess, TASK_HIDDEN, TASK_TEXTS } from "./task-options.ts";

interface Registered {
  readonly name: string;
  readonly revision: number;
}

interface Row extends Registered {
  readonly protocol: string;
  readonly may?: readonly string[];
}

interface Shown extends Row {
  readonly configuration: unknown;
  readonly registrant?: { readonly principal: string; readonly grant: string };
  readonly at: number;
  readonly timeout: number;
  readonly attempts: number;
  readonly subscriptions?: readonly string[];
}

const TEXTS = {
  ...TASK_TEXTS,
  name: "what the receiver is called; a namespace before a slash: mail/orders",
  protocol: "what carries it out (default: module)",
  input: "JSON Schema of what it takes: what does not fit is a dead letter; JSON, @file, or -",
};

const written: Presentation = { hidden: TASK_HIDDEN, configure: configureTask, words: splitProcess, run: register };

export const receiverPresentations: Readonly<Record<string, Presentation>> = {
  "receiver.register": {
    ...written,
    texts: TEXTS,
    examples: [
      "capstan receiver register mail --module ./mail.ts --may action.perform:send",
      "capstan receiver register total --script ./total.js",
      'capstan receiver register hook --http \'POST https://hooks.example/in\' --configuration \'{"bearer": {"secret": "env:HOOK_TOKEN"}}\'',
      "capstan receiver register archive --process -- /usr/bin/tee -a /srv/archive.ndjson",
      "capstan subscription create action.greet --receiver mail --from start",
    ],
  },
  "receiver.update": { ...written, texts: { ...TEXTS, protocol: "what carries it out" } },
  "receiver.remove": { text: (answer) => `removed ${nameOf(answer as Registered)}\n` },
  "receiver.list": {
    text: (answer) =>
      columns(
        (answer as { items: readonly Row[] }).items.map((row) => [
          ...[nameOf(row), row.protocol],
          (row.may ?? []).length === 0 ? "" : `may ${row.may?.join(", ")}`,
        ]),
      ),
  },
  "receiver.show": { text: (answer) => shownText(answer as Shown) },
};

async function register(cli: Cli, call: PresentedCall): Promise<void> {
  const { name, data, options } = call;
  await addTask(cli, call);
  const target = await cli.target();
  const [answer, listed] = await askAll(target, (send) => [
    send(name, data, options),
    ...messagesFor(target, data.may, send),
  ]);
  const registered = answered(answer as NonNullable<typeof answer>) as Registered;
  warnOfClauses(cli, "--may", data.may, listed);
  const verb = name === "receiver.update" ? "updated" : "registered";
  cli.printer.data(registered, () => `${verb} receiver ${nameOf(registered)}\n`);
  if (name === "receiver.register")
    cli.printer.note(`  subscribe it: capstan subscription create TOPIC --receiver ${shown(registered.name)}`);
}

function shownText(row: Shown): string {
  const { protocol, configuration, may = [], registrant, at, timeout, attempts, subscriptions = [] } = row;
  return columns([
    ["receiver", `${nameOf(row)}  ${protocol} ${brief(configuration ?? {})}`],
    ["by", `${registrant?.principal} under ${registrant?.grant}, ${instant(at)}`],
    ["may", may.length === 0 ? "nothing" : may.join(", ")],
    ["tried", `${attempts} ${attempts === 1 ? "time" : "times"}, each for ${timeout} ms at most`],
    ...(subscriptions.length === 0 ? [["of", "no subscription"]] : subscriptions.map((id) => ["of", id])),
  ]);
}

function nameOf({ name, revision }: Registered): string {
  return `${printable(name)}@${revision}`;
}
