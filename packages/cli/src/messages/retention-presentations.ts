// What makes a log shorter: old entries forgotten, parts of one entry erased. Both are for good, and so say what they did.

import type { Cli } from "../cli.ts";
import { duration } from "../input/duration.ts";
import { count } from "../output/count.ts";
import { shown } from "../output/shown.ts";
import { answered, converse } from "../remote/ask.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";

interface Compacted {
  readonly first: number;
  readonly stoppedBy?: { readonly entry: number; readonly why: string };
}

interface Redacted {
  readonly entry: number;
  readonly parts: readonly string[];
  readonly by: number;
}

export const retentionPresentations: Readonly<Record<string, Presentation>> = {
  "log.compact": {
    hidden: ["olderThan"],
    texts: { before: "forget entries before this one; default: as many as nothing needs" },
    examples: ["capstan log compact --older-than 90d", "capstan log compact --before 100000"],
    configure(command) {
      command.option("--older-than <duration>", "forget entries that are older: 90d, 12h");
    },
    run: compact,
  },
  "log.redact": {
    subject: "id",
    saidBy: { entry: ["id"], parts: ["parts"] },
    hidden: ["parts", "entry"],
    texts: { id: "the entry's number, or its message's id", reason: "why; it stays in the log" },
    examples: ['capstan log redact 1207 --parts body,trace --reason "asked for on 21 November"'],
    configure(command) {
      command.option("--parts <names>", "what to erase: body, facts, rows, trace, divided by commas");
    },
    run: redact,
  },
};

async function compact(cli: Cli, { name, data, flags, options }: PresentedCall): Promise<void> {
  const { olderThan } = flags;
  const asked = typeof olderThan === "string" ? { ...data, olderThan: duration(olderThan, "--older-than") } : data;
  const answer = (await waitedFor(cli, name, asked, options)) as Compacted;
  cli.printer.data(answer, () => `the log is kept from entry ${count(answer.first)} on\n`);
  const { stoppedBy } = answer;
  if (stoppedBy === undefined) return;
  cli.printer.note(`  needed from entry ${count(stoppedBy.entry)} on: ${shown(stoppedBy.why)}`);
  if (answer.first < stoppedBy.entry)
    cli.printer.note(
      "  what is before goes later: of the newest entries 256 may stay, and what was committed together goes together",
    );
}

async function redact(cli: Cli, { name, data, flags, options }: PresentedCall): Promise<void> {
  const { id, parts, ...rest } = data;
  const asked = typeof id === "string" && /^\d+$/.test(id) ? { entry: Number(id), ...rest } : { id, ...rest };
  const names = typeof flags.parts === "string" ? flags.parts.split(",").map((one) => one.trim()) : parts;
  const answer = (await waitedFor(cli, name, { ...asked, parts: names }, options)) as Redacted;
  cli.printer.data(answer, () => {
    return `erased the ${answer.parts.map(shown).join(" and the ")} of entry ${answer.entry}, by entry ${answer.by}\n`;
  });
  cli.printer.note("  backups and copies of before still have it");
}

/** However long it takes. */
async function waitedFor(cli: Cli, name: string, data: object, options: object | undefined): Promise<unknown> {
  const [answer] = await converse(await cli.target(), (send) => [send(name, data, options)]);
  return answered(answer);
}
