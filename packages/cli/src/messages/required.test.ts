// What a command line lacks: told by name, with an example, before anybody is asked. Of every command that there is.

import { describe, expect, test } from "bun:test";
import { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { run } from "../index.ts";
import { programFor } from "../program.ts";
import { testIo } from "../test-io.ts";
import { resourceOf, standardMessages } from "./described.ts";
import { fieldsOf } from "./fields.ts";
import { presentationsOf } from "./presentations.ts";

async function told(words: string) {
  const io = testIo();
  const code = await run(words.split(" ").filter(Boolean), io);
  return { code, out: io.out(), err: io.err() };
}

function leaves(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

const all = leaves(await programFor(new Cli(testIo()), []));

test("every message that requires something says so where no server runs, with a command line that has it", async () => {
  const messages = await standardMessages();
  const presentations = await presentationsOf(messages.map(resourceOf));
  const requiring = messages.filter(
    ({ name, data }) => presentations[name]?.unlisted !== true && fieldsOf(data).some(({ required }) => required),
  );
  expect(requiring.length).toBeGreaterThan(40);
  for (const { name } of requiring) {
    const words = name.split(".").map((word) => word.replace("deadLetter", "dead-letter"));
    const { code, out, err } = await told(words.join(" "));
    // An action is performed by a word of its own.
    const example = name === "action.perform" ? "capstan perform " : `capstan ${words.join(" ")} `;
    expect([name, code, out, err.split("; as in: ")]).toEqual([
      ...[name, 64, ""],
      [
        expect.stringMatching(/^USAGE_INVALID {2}.* (is|are) missing$/),
        expect.stringMatching(new RegExp(`^${example}`)),
      ],
    ]);
  }
});

test("every command that takes a word, or an option that has to be given, says which, with an example", async () => {
  const takers = all.filter(
    (command) =>
      command.registeredArguments.some(({ required }) => required) || command.options.some((one) => one.mandatory),
  );
  expect(takers.length).toBeGreaterThan(12);
  for (const { path } of takers) {
    const { code, err } = await told(path.replace("capstan ", ""));
    expect([path, code, err]).toEqual([path, 64, expect.stringMatching(/^USAGE_INVALID {2}.* is missing; as in: /)]);
  }
});

describe("what is missing", () => {
  const cases: Readonly<Record<string, string>> = {
    "grant create": "<principal> and --allow <text> are missing",
    "grant create bob": "--allow <text> is missing",
    'grant create {"principal":"bob"}': "--allow <text> is missing",
    "grant seal g-2": "--out <file> is missing",
    "log show": "<id> is missing",
    "log redact 7": "--reason <text> and --parts <names> are missing",
    "peer invite osaka": "--out <file> is missing",
    "peer add berlin": "--invite <file> is missing",
    "protocol test": "<protocol> or --module <file> or --script <file> or --http <url> or --process is missing",
    "subscription read": "--id <text> or --topic <text> is missing",
    "dead-letter discard d-0123456789ABCDEF": "--reason <text> is missing",
    "deadLetter discard": "<id> and --reason <text> are missing",
    "context add far": "--url <url> is missing",
    apply: "<resource> is missing",
  };
  for (const [words, text] of Object.entries(cases))
    test(`of "${words}" is told: ${text}`, async () => {
      expect(await told(words)).toMatchObject({
        code: 64,
        err: expect.stringContaining(`USAGE_INVALID  ${text}; as in: `),
      });
    });

  test("is a fault to programs", async () => {
    const { err } = await told("--json peer stop");
    expect(JSON.parse(err)).toEqual({
      code: "USAGE_INVALID",
      message: "<name> is missing; as in: capstan peer stop osaka",
    });
  });

  test("may be said by whichever word or option says it", async () => {
    for (const words of [
      'grant create {"principal":"bob","allow":["*"]}',
      "grant seal g-2 --credential sha256-x",
      "log show --entry 7",
      "protocol test --http http://127.0.0.1:9",
      "subscription read --topic action.greet",
      "peer add berlin --node n --keys k --secrets {}",
    ])
      expect([words, (await told(words)).code]).toEqual([words, 69]);
  });
});

describe("words that lead nowhere", () => {
  const cases: Readonly<Record<string, string>> = {
    "action nope": 'unknown command "nope"; see capstan action --help',
    "weather now": 'unknown command "weather"; see capstan --help; where a plugin brings it, its node has to run',
    "deadletter list": 'unknown command "deadletter"; did you mean "dead-letter"?',
    "action.list": 'unknown command "action.list"; did you mean "action list"?',
    "deadLetter.show d-1": 'unknown command "deadLetter.show"; did you mean "dead-letter show"?',
    "help nope": 'unknown command "nope"; did you mean "node"?',
    "help action regster": 'unknown command "regster"; did you mean "register"?',
    "context help lst": 'unknown command "lst"; did you mean "list"?',
    "peer stpo --help": 'unknown command "stpo"; did you mean "stop"?',
    "grant create bob action.perform": 'grant.create takes no "action.perform"; did you mean --allow action.perform?',
    "log proof 3": 'log.proof takes no "3"; did you mean --from 3?',
    "grant create bob --allow a more": 'grant.create takes no "more"; see its --help',
    "health twice": 'health takes no "twice"; see its --help',
    "backup a b": "backup takes 1 word and was given 2: a, b; put quotes around what is one",
  };
  for (const [words, text] of Object.entries(cases))
    test(`as in "${words}"`, async () => {
      expect(await told(words)).toEqual({ code: 64, out: "", err: `USAGE_INVALID  ${text}\n` });
    });

  test("are a fault to programs, and help to people", async () => {
    expect(JSON.parse((await told("--json action")).err)).toMatchObject({ code: "USAGE_INVALID" });
    expect((await told("action")).err).toStartWith("Usage: capstan action [options] [command]\n");
  });
});

test("a command is shown as words are written, and may be called as the wire has it", async () => {
  const { out } = await told("--help");
  expect(out).toContain("  dead-letter  ");
  expect(out).not.toContain("deadLetter");
  for (const word of ["dead-letter", "deadLetter"])
    expect((await told(`${word} list --help`)).out).toStartWith("Usage: capstan dead-letter list [options] [json]\n");
});
