// Dead letters: a line each; redriving waits for what is tried again, like the first time.

import type { Cli } from "../cli.ts";
import { columns, instant } from "../output/columns.ts";
import { jsonText, shown } from "../output/shown.ts";
import { answered, converse } from "../remote/ask.ts";
import { attached } from "./message-presentations.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";

interface Row {
  readonly id: string;
  readonly at: number;
  readonly name: string;
  readonly attempts: number;
  readonly code: string;
  readonly state: string;
  readonly about: string;
}

export const deadLetterPresentations: Readonly<Record<string, Presentation>> = {
  "deadLetter.list": {
    examples: ["capstan dead-letter list", "capstan dead-letter list --name mail --code DEADLINE_EXCEEDED"],
    texts: {
      kind: "what failed: execution or delivery",
      name: "what it is of: an action's name, or a receiver's",
      code: "the code of the fault that it ended with",
      before: "a letter's id, or a page's `next`: go on from there",
      limit: "how many at most (default: 50)",
    },
    text: (answer) =>
      columns(
        (answer as { items: readonly Row[] }).items.map(({ id, at, name, attempts, code, state, about }) => [
          ...[id, instant(at), name, code, `${attempts} ${attempts === 1 ? "attempt" : "attempts"}`, state, about],
        ]),
      ),
  },
  "deadLetter.show": {
    examples: ["capstan dead-letter show d-01J8…"],
    text: (answer) => shownText(answer as Shown),
  },
  "deadLetter.redrive": { examples: ["capstan dead-letter redrive d-01J8…"], run: redrive },
  "deadLetter.discard": {
    texts: { reason: "why; it is recorded" },
    examples: ['capstan dead-letter discard d-01J8… --reason "the order was withdrawn"'],
    text: (answer) => `discarded ${shown((answer as { id: string }).id)}\n`,
  },
};

interface Shown extends Partial<Row> {
  readonly kind?: string;
  readonly error?: { readonly code?: string; readonly message?: string };
  readonly principal?: string;
  readonly grant?: string;
  readonly alert?: number;
  readonly end?: { readonly message?: string; readonly discarded?: string; readonly replaced?: string };
}

function shownText(letter: Shown): string {
  const { id, at, kind = "", about = "", name = "", attempts, state, error, principal, grant, alert, end } = letter;
  const became = [end?.discarded, end?.replaced, end?.message].filter((one) => one !== undefined).join("   ");
  return columns([
    ["letter", `${id}  ${state}${became === "" ? "" : `   ${became}`}`],
    ["of", `${kind} ${about}  ${name}`],
    ...(error === undefined ? [["code", letter.code]] : [["why", `${error.code}  ${error.message}`]]),
    ["tried", `${attempts} ${attempts === 1 ? "time" : "times"}, the last ${instant(at)}`],
    ...(principal === undefined ? [] : [["by", `${principal} under ${grant}`]]),
    ...(alert === undefined ? [] : [["alert", `entry ${alert}`]]),
  ]);
}

interface Redriven {
  readonly id: string;
  /** The message that was accepted. */
  readonly message?: string;
}

/** Says that it was accepted, and then waits for what comes of it. */
async function redrive(cli: Cli, { name, data, options }: PresentedCall): Promise<void> {
  const target = await cli.target();
  const wait = (options as { wait?: number } | undefined)?.wait;
  const [first] = await converse(target, (send) => [send(name, data, options)]);
  const redriven = answered(first as NonNullable<typeof first>) as Redriven;
  const { message } = redriven;
  // Waiting is a message of its own, which other grants need not cover.
  if (message === undefined || wait === 0 || !target.administrator) {
    cli.printer.data(redriven, () => `${jsonText(redriven)}\n`);
    return;
  }
  cli.printer.note(`  redriven ${shown(redriven.id)}   ${shown(message)}`);
  const outcome = await attached(cli, { id: message }, wait === undefined ? undefined : { wait });
  cli.printer.data(outcome, () => `${jsonText(outcome)}\n`);
}
