// The files of a new plugin: small, whole and working, with each part of a plugin that one is likely to need.

import { wordOf } from "../word-of.ts";

export interface PluginNames {
  /** `tea-time`: the plugin's, and its files'. */
  readonly kebab: string;
  /** `teaTime`: the function's, and the resource's. */
  readonly camel: string;
  /** `TEA_TIME`: its fault codes begin with it. */
  readonly upper: string;
}

/** `undefined` where the text is no name of a plugin. */
export function pluginNames(text: string): PluginNames | undefined {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text) || text.length > 40) return undefined;
  return {
    kebab: text,
    camel: text.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    upper: text.replaceAll("-", "_").toUpperCase(),
  };
}

/** File name → text. */
export function pluginFiles({ kebab, camel, upper }: PluginNames): Readonly<Record<string, string>> {
  return {
    [`${kebab}.ts`]: `// The plugin ${kebab}: keeps short notes by name. Its messages, its state, and what it refuses; replace them with yours.

import { authority, command, definePlugin, next, query, refuse, table } from "@capstan/orchestrator";
import { z } from "zod";

interface Note {
  readonly text: string;
  /** Who wrote it, and when (milliseconds since the epoch). */
  readonly by: string;
  readonly at: number;
}

const name = z.string().min(1).max(100);
// Rows of a table are written with the log, and are there again after a restart.
const notes = table<Note>("${camel}");

export function ${camel}({ longest = 200 } = {}) {
  return definePlugin({
    name: "${kebab}",
    version: "1",
    // Part of what the log records of the pipeline: a change of it is an entry.
    configuration: { longest },
    // What an earlier plugin must have added. In the wrong place the composition does not compile.
    needs: [authority],
    tables: [notes],
    // capstan ${wordOf(camel)} put | get: commands, scope methods and documentation come out of this.
    messages: {
      ${camel}: {
        put: command({
          summary: "Keep a note.",
          data: z.strictObject({ name, text: z.string() }),
          result: z.object({ name }),
          target: (data) => data.name,
        }),
        get: query({
          summary: "Read a note.",
          data: z.strictObject({ name }),
          result: z.unknown(),
          target: (data) => data.name,
        }),
      },
    },
    faults: {
      ${upper}_TOO_LONG: { status: 422, retryable: false, text: "The note is longer than the plugin takes." },
    },
    // Synchronous and pure: no clock (envelope.at), no randomness, no I/O. It runs for every message of the pipeline.
    decide({ message, envelope, state, needs }) {
      if (message.resource !== "${camel}" || message.action !== "put") return next();
      const data = message.data as { name: string; text: string };
      if (data.text.length > longest) {
        return refuse("${upper}_TOO_LONG", \`\${data.name}: \${data.text.length} characters; \${longest} are taken\`);
      }
      const note: Note = { text: data.text, by: needs.authority.principal, at: envelope.at };
      return next({ data: { name: data.name }, state: state.put(notes, data.name, note) });
    },
    // Answers of its queries; may do I/O.
    answer: {
      "${camel}.get": ({ message }, reader) => reader.get(notes, (message.data as { name: string }).name) ?? null,
    },
  });
}
`,
    [`${kebab}.test.ts`]: `// The plugin ${kebab} in an orchestrator of its own: no server, no files.

import { expect, test } from "bun:test";
import { createOrchestrator } from "@capstan/orchestrator";
import { auth } from "@capstan/plugins";
import { ${camel} } from "./${kebab}.ts";

test("a note is kept, with who wrote it", async () => {
  const hub = await createOrchestrator({ plugins: [auth(), ${camel}()] });
  using ada = await hub.scope({ principal: "ada", allow: ["${camel}.*"] });
  expect(await ada.${camel}.put({ name: "tea", text: "at four" })).toEqual({ name: "tea" });
  expect(await ada.${camel}.get({ name: "tea" })).toMatchObject({ text: "at four", by: "ada" });
  await hub.stop();
});

test("a note that is too long is refused, and nothing changes", async () => {
  const hub = await createOrchestrator({ plugins: [auth(), ${camel}({ longest: 3 })] });
  using ada = await hub.scope({ principal: "ada", allow: ["${camel}.*"] });
  await expect(ada.${camel}.put({ name: "tea", text: "at four" })).rejects.toMatchObject({ code: "${upper}_TOO_LONG" });
  expect(await ada.${camel}.get({ name: "tea" })).toBeNull();
  await hub.stop();
});
`,
    "README.md": `# ${kebab}

Keeps short notes by name.

| | |
| --- | --- |
| needs | \`authority\` |
| adds | nothing |
| messages | \`${camel}.put\` (command), \`${camel}.get\` (query) |
| faults | \`${upper}_TOO_LONG\` |

\`\`\`ts
// capstan.config.ts
import { defineConfig } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { ${camel} } from "./${kebab}/${kebab}.ts";

export default defineConfig({ plugins: [...standard(), ${camel}()] });
\`\`\`

\`\`\`
$ capstan serve
$ capstan ${wordOf(camel)} put tea --text 'at four'
$ capstan ${wordOf(camel)} get tea
\`\`\`

\`capstan plugin test ${kebab}\` runs its test.
`,
  };
}
