// The fault in whatever a command threw. What is not a fault is a bug of ours, and says so.

import { type Fault, FaultError, fault } from "@capstan/orchestrator/remote";
import { CommanderError } from "commander";

export function thrownFault(thrown: unknown): Fault {
  if (thrown instanceof FaultError) return thrown.toFault();
  if (thrown instanceof CommanderError) return usage(thrown.message);
  return fault("INTERNAL", `${thrown instanceof Error ? thrown.message : String(thrown)}; CAPSTAN_DEBUG=1 shows where`);
}

export function usageFault(message: string): FaultError {
  return new FaultError(fault("USAGE_INVALID", message));
}

/** Of what a server answered to a message. */
export function answerFault(name: string, problem: string): FaultError {
  return new FaultError(fault("ANSWER_INVALID", `${name}: the server's answer ${problem}; is it of another version?`));
}

/** `error: unknown option '--memry'\n(Did you mean --memory?)`, in our words. */
function usage(message: string): Fault {
  const [head = "", ...rest] = message.replace(/^error: /, "").split("\n");
  const hint = /^\(Did you mean (.+)\?\)$/.exec(rest.join(" ").trim())?.[1] ?? ELSEWHERE[head];
  const said = inOurWords(head.replaceAll("'", '"'));
  return fault("USAGE_INVALID", hint === undefined ? said : `${said}; did you mean "${hint.replace("one of ", "")}"?`);
}

/** What other programs call it. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "unknown option '--port'": "--listen",
  "unknown option '--host'": "--listen",
};

const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /^option "(?:-\w, )?(--[\w-]+).*?" argument "(.*)" is invalid\. Allowed choices are (.*)\.$/,
    '$1: "$2" is not one of $3',
  ],
  [
    /^command-argument value "(.*)" is invalid for argument "(.*)"\. Allowed choices are (.*)\.$/,
    '$2: "$1" is not one of $3',
  ],
  [/^option "(?:-\w, )?(--[\w-]+) <(.*)>" argument missing$/, "$1: its <$2> is missing"],
  [/^required option "(--[\w-]+) <(.*)>" not specified$/, "$1 <$2> is missing"],
  [/^missing required argument "(.*)"$/, "<$1> is missing; see its --help"],
  [
    /^too many arguments for "(.*)"\. Expected (\d+) arguments? but got (\d+): (.*)\.$/,
    "$1 takes $2 words and was given $3: $4; put quotes around what is one",
  ],
];

/** Of commander's sentences, those that people meet. */
function inOurWords(text: string): string {
  const [pattern, ours] = WORDS.find(([one]) => one.test(text)) ?? [];
  return pattern === undefined || ours === undefined ? text : text.replace(pattern, ours);
}
