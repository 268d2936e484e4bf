// `capstan config show`: what is in force, and who said so.

import { printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { columns } from "../output/columns.ts";
import { type Setting, type SettingName, settings } from "../settings/setting.ts";
import type { Effective } from "../settings/settings.ts";
import { shownPath } from "../settings/target.ts";
import { addServeOptions } from "./serve-options.ts";

export function configCommand(program: Command, cli: Cli): void {
  const config = program
    .command("config")
    .description("See which settings are in force, and why.")
    .helpCommand("help [verb]", "print help of a verb");
  const show = config
    .command("show")
    .description("Show every setting, and where its value comes from.")
    .action(async () => {
      cli.configure(show.optsWithGlobals());
      for (const warning of cli.settings.unknownVariables()) cli.printer.warn(warning);
      const effective = await Promise.all(
        Object.keys(settings).map(async (name) => [name, await cli.settings.get(name as SettingName)] as const),
      );
      const file = await cli.settings.file();
      const plugins = file?.config.plugins?.map(({ name }) => name);
      const rows: [string, Effective][] = effective.map(([name, value]) => [
        name,
        told(name as SettingName, value, cli.io.cwd),
      ]);
      rows.push([
        "plugins",
        plugins === undefined
          ? { value: "standard", source: "default" }
          : { value: plugins, source: "file", where: shownPath(file?.path ?? "", cli.io.cwd) },
      ]);
      cli.printer.data(Object.fromEntries(rows), () =>
        columns(
          rows.map(([name, one]) => [name, valueText(one.value), [one.source, one.where].filter(Boolean).join(" ")]),
        ),
      );
    });
  addServeOptions(show);
}

/** Paths as one sees them from here; secrets not at all. */
function told(name: SettingName, { value, source, where }: Effective, cwd: string): Effective {
  const setting: Setting = settings[name];
  const near = (one: string): string => (setting.path ? shownPath(one, cwd) : withoutCredential(one));
  const said =
    setting.secret && value !== undefined
      ? "(set)"
      : typeof value === "string"
        ? near(value)
        : Array.isArray(value)
          ? value.map(near)
          : value;
  return {
    value: said,
    source,
    ...(where === undefined ? {} : { where: source === "file" ? shownPath(where, cwd) : where }),
  };
}

/** `http://ada:secret@host` → `http://…@host` */
function withoutCredential(text: string): string {
  return text.replace(/\/\/[^/?#]*@/, "//…@");
}

function valueText(value: Effective["value"]): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "–";
  return Array.isArray(value) ? value.map((one) => printable(one)).join(", ") : String(value);
}
