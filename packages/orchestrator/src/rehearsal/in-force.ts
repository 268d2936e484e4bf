// The composition that decided a message, and which plugins of the rehearsed one are unchanged since. A plugin is identified by its name, version and
// configuration, which is what the log records.

import { KERNEL } from "../pipeline/decide.ts";
import type { PipelineRow } from "../pipeline/kernel-tables.ts";
import type { Trace } from "../pipeline/recorder.ts";
import type { Composition } from "../plugin/composition.ts";
import type { AnyPlugin, PluginDescription } from "../plugin/plugin.ts";

export class InForce {
  readonly #positions: ReadonlyMap<string, number>;
  readonly #descriptions: ReadonlyMap<string, string>;

  /** @param row the composition's row in the table `pipeline`; `undefined` where it is not known */
  constructor(row: PipelineRow | undefined) {
    const plugins = row?.plugins ?? [];
    this.#positions = new Map([...plugins.map(({ name }) => name), KERNEL].map((name, at) => [name, at]));
    this.#descriptions = new Map(plugins.map((plugin) => [plugin.name, textOf(plugin)]));
  }

  /** Whether the plugin decided then, unchanged. The kernel, which descriptions leave out, counts as unchanged. */
  unchanged({ name, version, configuration }: Pick<AnyPlugin, "name" | "version" | "configuration">): boolean {
    if (name === KERNEL) return true;
    return (
      this.#descriptions.get(name) === textOf({ name, version: version ?? "0", configuration: configuration ?? null })
    );
  }

  /** How a composition differs from this one; and of which plugins the history has no rows. @param written the tables that it wrote */
  notes({ plugins }: Composition, written: readonly string[]): string[] {
    const names = plugins.map(({ name }) => name);
    const gone = [...this.#positions.keys()].filter((name) => !names.includes(name));
    return [
      ...plugins.flatMap((plugin) => {
        if (this.unchanged(plugin)) return [];
        if (this.#positions.has(plugin.name)) return [`"${plugin.name}" has another version or configuration`];
        const empty = plugin.tables?.filter(({ name, kind }) => kind === "logged" && !written.includes(name)) ?? [];
        const without = empty.map(({ name }) => `"${name}"`).join(", ");
        return [
          `"${plugin.name}" is new${without === "" ? "" : `; history has no rows of ${without}, so it decides without any`}`,
        ];
      }),
      ...gone.map((name) => `"${name}" is gone`),
    ];
  }

  /** Whether the plugin was asked about the message of this trace. */
  reached(plugin: string, { verdicts, error }: Trace): boolean {
    const position = this.#positions.get(plugin);
    const stopper = verdicts.find(({ kind }) => kind !== "next");
    // The kernel itself refused it: nobody knows how far it had come.
    if (position === undefined || (stopper === undefined && error !== undefined)) return false;
    return stopper === undefined || position <= (this.#positions.get(stopper.plugin) ?? -1);
  }
}

/** A configuration may hold what JSON leaves out; the log has it as JSON. */
function textOf({ name, version, configuration }: PluginDescription): string {
  return JSON.stringify([name, version, configuration]);
}
