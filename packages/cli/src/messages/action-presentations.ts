// Actions: what carries one out is named by a flag, and what is registered is told by its shape.

import { printable } from "@capstan/orchestrator/remote";
import { shape } from "@capstan/plugins/remote";
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
  readonly input: unknown;
  readonly output: unknown;
}

interface Listed extends Registered {
  readonly protocol: string;
  /** Of what a peer has: our name for it, and the domains on the way. */
  readonly elsewhere?: { readonly peer: string; readonly path: readonly string[]; readonly origin?: string };
}

interface Described extends Listed {
  readonly configuration?: unknown;
  readonly may?: readonly string[];
  readonly timeout?: number;
  readonly attempts?: number;
  readonly registrant?: { readonly principal: string; readonly grant: string };
  readonly at?: number;
  readonly idempotent?: boolean;
  readonly readOnly?: boolean;
  readonly publishes?: { readonly topic: string };
}

const TEXTS = {
  ...TASK_TEXTS,
  name: "what the action is called; a namespace before a slash: build/image",
  protocol: "what carries it out",
  input: "JSON Schema of what it takes; JSON, @file, or - for standard input",
  output: "JSON Schema of what it gives; JSON, @file, or - for standard input",
  idempotent: "running it twice is as good as once",
  readOnly: "it changes nothing",
};

const DEFAULTS = { protocol: "module", timeout: 30_000, attempts: 1, backoff: 1000 };

const written: Presentation = { hidden: TASK_HIDDEN, configure: configureTask, words: splitProcess, run: register };

export const actionPresentations: Readonly<Record<string, Presentation>> = {
  "action.register": {
    ...written,
    texts: { ...TEXTS, ...withDefaults() },
    examples: [
      "capstan action register greet --module ./greet.ts",
      "capstan action register tally --script ./tally.js --transform-output '{\"sum\": $sum(rows)}'",
      "capstan action register order --http 'POST https://shop.example/orders' --attempts 3 --breaker 5,30s",
      "capstan action register build --process -- /usr/bin/make -C /srv/site all",
    ],
  },
  "action.update": {
    ...written,
    texts: { ...TEXTS, revision: "the one that it has now, else nothing is changed" },
    examples: ["capstan action update greet"],
  },
  "action.describe": {
    texts: { at: "ask there", origin: "the node that alone has it" },
    examples: ["capstan action describe greet", "capstan action describe greet --at berlin"],
    text: (answer) => describedText(answer as Described),
  },
  "action.recall": {
    text: (answer, { data }) =>
      (answer as { recalled: boolean }).recalled
        ? `cancelled ${shown(String(data.name))}\n`
        : "nothing runs under that key\n",
    hidden: ["request"],
    texts: { under: "the key that it was performed under" },
    examples: ["capstan action recall import --under import-2026-11-21"],
  },
  "action.remove": { text: (answer) => `removed ${nameOf(answer as Registered)}\n` },
  "action.list": {
    async text(answer) {
      const items = (answer as { items: Listed[] }).items;
      return columns(
        items.map((item) =>
          item.elsewhere === undefined
            ? [nameOf(item), item.protocol, `${shape(item.input)} → ${shape(item.output)}`]
            : [item.name, `via ${item.elsewhere.peer}`, item.elsewhere.path.join(" ")],
        ),
      );
    },
  },
};

// Said of `register` alone: of `update`, what is not given stays as it was.
function withDefaults(): Record<string, string> {
  const names = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];
  return Object.fromEntries(names.map((name) => [name, `${TEXTS[name]} (default: ${DEFAULTS[name]})`]));
}

async function register(cli: Cli, call: PresentedCall): Promise<void> {
  const { name, data, options } = call;
  await addTask(cli, call);
  const target = await cli.target();
  const [answer, described, listed, messages] = await askAll(target, (send) => {
    const registered = send(name, data, options);
    // A grant that may not read the log would leave a refusal in it each time.
    if (!target.administrator) return [registered];
    return [
      registered,
      send("action.describe", { name: registered.name }),
      // On the promise, so that it is asked once the entry is there.
      registered.map(() => send("log.list", { message: name, limit: 10 })),
      ...messagesFor(target, data.may, send),
    ];
  });
  const registered = answered(answer as NonNullable<typeof answer>) as Registered;
  warnOfClauses(cli, "--may", data.may, messages);
  const at = described && "value" in described ? (described.value as { at?: number }).at : undefined;
  const items = listed && "value" in listed ? (listed.value as { items: { at: number; entry: number }[] }).items : [];
  const mine = items.filter((item) => item.at === at);
  // Two of one millisecond cannot be told apart.
  const entry = mine.length === 1 ? mine[0]?.entry : undefined;
  cli.printer.data(entry === undefined ? registered : { ...registered, entry }, () => {
    const verb = name === "action.update" ? "updated" : "registered";
    const shapes = `${shape(registered.input)} → ${shape(registered.output)}`;
    return `${verb} ${nameOf(registered)}  ${shown(shapes)}${entry === undefined ? "" : `   entry ${entry}`}\n`;
  });
}

/** What it takes, gives and publishes; the schemas whole, and what else there is, are in the JSON. */
function describedText(action: Described): string {
  const { name, protocol, configuration, elsewhere, may = [], attempts, registrant, publishes } = action;
  const promised = [...(action.idempotent ? ["idempotent"] : []), ...(action.readOnly ? ["read-only"] : [])];
  const rows = [
    ["takes", shape(action.input)],
    ["gives", shape(action.output)],
    ...(publishes === undefined ? [] : [["publishes", publishes.topic]]),
    ...(promised.length === 0 ? [] : [["is", promised.join(", ")]]),
  ];
  if (elsewhere !== undefined) {
    const origin = elsewhere.origin === undefined ? "" : `, of ${elsewhere.origin}`;
    return columns([["action", `${name}  via ${elsewhere.peer}${origin}`], ...rows]);
  }
  return columns([
    ["action", `${nameOf(action)}  ${protocol} ${brief(configuration ?? {})}`],
    ...rows,
    ["may", may.length === 0 ? "nothing" : may.join(", ")],
    ["tried", `${attempts} ${attempts === 1 ? "time" : "times"}, each for ${action.timeout} ms at most`],
    ["by", `${registrant?.principal} under ${registrant?.grant}, ${instant(action.at)}`],
  ]);
}

function nameOf({ name, revision }: Registered): string {
  return `${printable(name)}@${revision}`;
}
