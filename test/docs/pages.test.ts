// Every example that a page tags with `run` is run; what a page shows is what happens. See blocks.ts for the tags.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { blocksOf } from "./blocks.ts";
import { PageRun } from "./page-run.ts";
import { WarmPrograms } from "./warm-programs.ts";

const ROOT = join(import.meta.dir, "..", "..");
const PAGES = ["README.md", "docs/**/*.md", "packages/plugins/src/*/README.md", "examples/*/README.md"];

const programs = new WarmPrograms();
afterAll(() => programs[Symbol.asyncDispose]());

const pages = PAGES.flatMap((glob) => [...new Bun.Glob(glob).scanSync(ROOT)]).sort();

test("there are pages, and every tag on them is one that we know", async () => {
  expect(pages).toContain("README.md");
  for (const page of pages) {
    for (const { line, language, run } of blocksOf(page, await Bun.file(join(ROOT, page)).text())) {
      if (run) expect(`${page}:${line} ${language}`).toMatch(/ (ts|sh)$/);
    }
  }
});

for (const page of pages) {
  const blocks = blocksOf(page, await Bun.file(join(ROOT, page)).text());
  if (!blocks.some(({ run }) => run)) continue;
  describe(page, () => {
    let pageRun: PageRun;
    beforeAll(() => {
      pageRun = new PageRun(page, programs);
      for (const { file, text } of blocks) if (file !== undefined) pageRun.write(file, text);
    });
    afterAll(() => pageRun[Symbol.asyncDispose]());

    blocks.forEach((block, at) => {
      if (!block.run) return;
      const next = blocks[at + 1];
      test(`line ${block.line}`, () =>
        block.language === "sh"
          ? pageRun.transcript(block.text)
          : pageRun.program(block, next?.output ? next : undefined));
    });
  });
}
