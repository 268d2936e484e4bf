// `capstan doctor`: looks at all that a node stands on, and says of each thing how it is and what to do. It changes nothing.

import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { exitCodes } from "../fault/exit-codes.ts";
import { columns } from "../output/columns.ts";

export function doctorCommand(program: Command, cli: Cli): void {
  program
    .command("doctor")
    .description("Look at everything that the node stands on, and say what to do.")
    .option("--deep", "verify the whole log, entry by entry")
    .action(({ deep = false }: { readonly deep?: boolean }) => doctor(cli, deep))
    .addHelpText(
      "after",
      `
Ends with 0 where nothing fails. It changes nothing; what it finds damaged, capstan log verify tells more of.
`,
    )
    .examples("capstan doctor", "capstan doctor --data /var/lib/capstan --deep --json");
}

async function doctor(cli: Cli, deep: boolean): Promise<void> {
  const { examined } = await import("../doctor/examination.ts");
  const findings = await examined(cli, deep);
  const failed = findings.some(({ state }) => state === "fail");
  cli.printer.data({ ok: !failed, findings }, () =>
    columns(
      findings.map(({ state, about, what, todo }) => [
        state.padEnd(4),
        about,
        todo === undefined ? what : `${what}; ${todo}`,
      ]),
    ),
  );
  if (failed) cli.exitCode = exitCodes.failed;
}
