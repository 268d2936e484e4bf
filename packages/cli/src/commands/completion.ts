// `capstan completion`: a script for the shell, of the commands and flags that the program has now.

import { Argument } from "commander";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** `grant create` → what may follow it. */
type Words = ReadonlyMap<string, readonly string[]>;

export function completionCommand(program: Command, cli: Cli): void {
  program
    .command("completion")
    .description("Print a completion script for a shell.")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) =>
      cli.printer.data({ shell, script: scripts[shell](wordsOf(program)) }, () => scripts[shell](wordsOf(program))),
    )
    .examples("source <(capstan completion bash)", "capstan completion fish > ~/.config/fish/completions/capstan.fish");
}

/** Commands and flags, by the commands typed so far. */
export function wordsOf(program: Command): Words {
  const words = new Map<string, readonly string[]>();
  const globals = program.options.flatMap(({ long }) => long ?? []);
  const visit = (command: Command, path: string): void => {
    const flags = command === program ? [] : command.options.flatMap(({ long }) => long ?? []);
    words.set(path, [...command.commands.map((one) => one.name()), ...flags, ...globals]);
    for (const one of command.commands) visit(one, `${path} ${one.name()}`.trim());
  };
  visit(program, "");
  return words;
}

const scripts: Readonly<Record<(typeof SHELLS)[number], (words: Words) => string>> = {
  bash: (words) => `_capstan() {
  local path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  ${lookup(words)}
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _capstan capstan
`,
  zsh: (words) => `#compdef capstan
_capstan() {
  local path="" word words_
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  ${lookup(words).replaceAll("words=", "words_=")}
  compadd -- \${=words_}
  _files
}
compdef _capstan capstan
`,
  fish: (words) =>
    [...words]
      .flatMap(([path, follow]) => {
        const typed = path.split(" ").filter(Boolean);
        const when =
          typed.length === 0
            ? "__fish_use_subcommand"
            : typed.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
        return follow.map(
          (word) =>
            `complete -c capstan -n '${when}' ${word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`}\n`,
        );
      })
      .join(""),
};

// The longest known path wins: behind a command come its arguments.
function lookup(words: Words): string {
  const paths = [...words].sort(([a], [b]) => b.length - a.length);
  const cases = paths.map(
    ([path, follow]) => `    ${path === "" ? "*" : `"${path}"|"${path} "*`}) words="${follow.join(" ")}" ;;`,
  );
  return `local words=""\n  case "$path" in\n${cases.join("\n")}\n  esac`;
}
