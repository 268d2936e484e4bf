// What commander says of a command line, in our words.

import { wordOf } from "../word-of.ts";

/** `error: unknown option '--memry'\n(Did you mean --memory?)`, in our words. @param path `capstan serve` */
export function usageText(message: string, path: string): string {
  const [head = "", ...rest] = message.replace(/^error: /, "").split("\n");
  const hint = /^\(Did you mean (.+)\?\)$/.exec(rest.join(" ").trim())?.[1] ?? ELSEWHERE[head] ?? asTwoWords(head);
  // Of a command's words commander tells the last.
  const whole = head.replace(
    /^too many arguments for '.*?'/,
    `too many arguments for '${path.replace(/^capstan /, "")}'`,
  );
  const said = inOurWords(whole.replaceAll("'", '"'));
  if (hint === undefined) return said.startsWith("unknown ") ? `${said}; see ${path} --help` : said;
  const meant = new Set(hint.replace("one of ", "").split(", ").map(wordOf));
  return `${said}; did you mean ${[...meant].map((one) => `"${one}"`).join(" or ")}?`;
}

/** `action.list`, as faults, grants and the wire write what is `capstan action list` here. */
function asTwoWords(head: string): string | undefined {
  const [, resource, verb] = /^unknown command '(\w+)\.(\w+)'$/.exec(head) ?? [];
  return resource === undefined || verb === undefined ? undefined : `${wordOf(resource)} ${wordOf(verb)}`;
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
  [/^missing required argument "(.*)"$/, "<$1> is missing"],
  [/^too many arguments for "(.*)"\. Expected 0 arguments but got \d+: (.*)\.$/, '$1 takes no "$2"; see its --help'],
  [
    /^too many arguments for "(.*)"\. Expected 1 argument but got (\d+): (.*)\.$/,
    "$1 takes 1 word and was given $2: $3; put quotes around what is one",
  ],
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
