// What the pages under docs/ say of the code is what the code says: limits, configuration keys, each plugin's contract, paths,
// and the example that docs/plugins.md shows whole. Blocks tagged to run are test/docs'.

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type AnyPlugin, configKeys, defaultLimits } from "@capstan/orchestrator";
import { standard } from "./standard.ts";

const ROOT = join(import.meta.dir, "..", "..", "..");
const page = (path: string) => Bun.file(join(ROOT, path)).text();
/** The cells of a page's table rows whose first cell is code. */
const rows = (markdown: string) =>
  [...markdown.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(
    ([, name, rest]) => [name as string, rest as string] as const,
  );

describe("docs/wire.md", () => {
  test("gives every limit of a session, with its number", async () => {
    const section = (await page("docs/wire.md")).split("## The budget of a session")[1]?.split("\n## ")[0] as string;
    const documented = Object.fromEntries(
      rows(section).map(([name, rest]) => [name, Number(rest.split(" | ")[0]?.replaceAll(",", ""))]),
    );
    expect(documented).toEqual({ ...defaultLimits });
  });
});

describe("docs/operators.md", () => {
  test("has every key of the configuration, and no other", async () => {
    const section = (await page("docs/operators.md")).split("## Configuration")[1]?.split("\n## ")[0] as string;
    expect(
      rows(section)
        .map(([name]) => name)
        .sort(),
    ).toEqual([...configKeys].sort());
  });
});

describe("docs/architecture.md", () => {
  test("says of each plugin what it needs, adds, keeps, prepares for and owes", async () => {
    const text = await page("docs/architecture.md");
    const listed = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ") || "–";
    const named = (things: readonly { readonly name: string }[] = []) => listed(things.map(({ name }) => name));
    for (const { name, needs, adds, tables, prepare, effects } of standard() as readonly AnyPlugin[]) {
      const cells = [
        named(needs),
        named(adds),
        named(tables),
        listed(Object.keys(prepare ?? {})),
        listed(Object.keys(effects ?? {})),
      ];
      expect(text).toContain(`| [${name}](../packages/plugins/src/${name}/README.md) | ${cells.join(" | ")} | `);
    }
  });

  test("names files and folders that are there", async () => {
    const named = [...(await page("docs/architecture.md")).matchAll(/`([a-z-]+(?:\/[a-z-]+\.ts|\/|\.ts))`/g)];
    const paths = [...new Set(named.map(([, path]) => path as string))];
    expect(paths.length).toBeGreaterThan(30);
    const folders = ["orchestrator/src", "orchestrator/src/plugin", "plugins/src", "plugins/src/executor"];
    expect(paths.filter((path) => !folders.some((folder) => existsSync(join(ROOT, "packages", folder, path))))).toEqual(
      [],
    );
  });

  test("lists every folder of the kernel", async () => {
    const text = await page("docs/architecture.md");
    const folders = [...new Bun.Glob("*/*.ts").scanSync(join(ROOT, "packages/orchestrator/src"))].map(dirname);
    for (const folder of new Set(folders)) if (folder !== "testing") expect(text).toContain(`| \`${folder}/\` |`);
  });

  test("names every folder of the executor", async () => {
    const text = await page("docs/architecture.md");
    const folders = [...new Bun.Glob("*/*.ts").scanSync(join(ROOT, "packages/plugins/src/executor"))].map(dirname);
    for (const folder of new Set(folders)) expect(text).toContain(`\`${folder}/\``);
  });
});

describe("docs/plugins.md", () => {
  test("shows the example as it is", async () => {
    const text = await page("docs/plugins.md");
    for (const file of ["business-hours.ts", "capstan.config.ts"]) {
      expect(text).toContain(`\`\`\`ts file=${file}\n${await page(`examples/business-hours/${file}`)}\`\`\`\n`);
    }
  });
});

/** How a heading is addressed, as GitHub does. */
const slug = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

test("links between pages lead somewhere, to headings that are there", async () => {
  const pages = ["README.md", "docs/**/*.md", "packages/plugins/src/*/README.md", "examples/*/README.md"].flatMap(
    (glob) => [...new Bun.Glob(glob).scanSync(ROOT)],
  );
  const texts = new Map(await Promise.all(pages.map(async (path) => [path, await page(path)] as const)));
  const anchors = (text: string) => text.replaceAll(/^```.*?^```/gms, "").matchAll(/^#+ (.*)$/gm);
  const broken: string[] = [];
  for (const [path, text] of texts) {
    for (const [, target = "", anchor] of text.matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const to = target === "" ? path : join(dirname(path), target);
      const headed = [...anchors(texts.get(to) ?? "")].map(([, heading = ""]) => slug(heading));
      const found = existsSync(join(ROOT, to)) && (anchor === undefined || !texts.has(to) || headed.includes(anchor));
      if (!found) broken.push(`${path}: ${target}${anchor === undefined ? "" : `#${anchor}`}`);
    }
  }
  expect(broken).toEqual([]);
});
