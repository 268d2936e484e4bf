// Each plugin's README says of needs, adds, messages and faults what the plugin itself says. The examples in it are run by
// test/docs. Where this fails, what it prints is what the README should hold.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { AnyPlugin, FaultTable, MessageTable } from "@capstan/orchestrator";
import { standard } from "./standard.ts";

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function tokens(list: readonly { readonly name: string }[] | undefined): string {
  return list === undefined || list.length === 0 ? "nothing" : list.map(({ name }) => `\`${name}\``).join(", ");
}

function messages(declared: MessageTable): string {
  return table(
    ["message", "kind", "what it does"],
    Object.entries(declared).flatMap(([resource, verbs]) =>
      Object.entries(verbs).map(([verb, { kind, internal, summary }]) => [
        `\`${resource}.${verb}\``,
        internal ? `${kind}, internal` : kind,
        summary,
      ]),
    ),
  );
}

function faults(declared: FaultTable): string {
  return table(
    ["fault", "HTTP", "when, and what to do"],
    Object.entries(declared).map(([code, { status, text }]) => [`\`${code}\``, String(status), text ?? ""]),
  );
}

for (const plugin of standard() as readonly AnyPlugin[]) {
  describe(`${plugin.name}/README.md`, async () => {
    const readme = await Bun.file(join(import.meta.dir, plugin.name, "README.md")).text();

    test("says what it needs and adds", () => {
      expect(readme).toContain(`Needs ${tokens(plugin.needs)}; adds ${tokens(plugin.adds)}.`);
    });

    test("lists its messages", () => {
      expect(readme).toContain(`${messages(plugin.messages ?? {})}\n`);
    });

    test("lists its faults", () => {
      expect(readme).toContain(`${faults(plugin.faults ?? {})}\n`);
    });

    test("has an example that is run", () => {
      expect(readme).toContain("```ts run\n");
    });
  });
}
