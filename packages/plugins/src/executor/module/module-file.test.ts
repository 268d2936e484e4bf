import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveModule } from "./module-file.ts";

const base = realpathSync(mkdtempSync(join(tmpdir(), "capstan-module-file-")));
const modules = join(base, "modules");
const other = join(base, "other");
mkdirSync(join(modules, "sub"), { recursive: true });
mkdirSync(join(modules, "folder.ts"));
mkdirSync(join(other, "modules-too"), { recursive: true });
for (const file of [
  "modules/greet.ts",
  "modules/sub/shout.mjs",
  "modules/data.json",
  "other/secret.ts",
  "other/modules-too/late.ts",
]) {
  writeFileSync(join(base, file), "");
}
symlinkSync(join(other, "secret.ts"), join(modules, "link.ts"));
symlinkSync(other, join(modules, "linked"));
symlinkSync(join(modules, "greet.ts"), join(modules, "alias.ts"));
symlinkSync(modules, join(base, "by-link"));
symlinkSync(join(other, "gone.ts"), join(modules, "dangling.ts"));
mkdirSync(join(base, "modules-not"));
writeFileSync(join(base, "modules-not/a.ts"), "");
afterAll(() => rmSync(base, { recursive: true }));

const directories = [modules, join(other, "modules-too"), join(base, "missing")];
const codeOf = (path: string, within: readonly string[] = directories) => {
  const found = resolveModule(path, within);
  return typeof found === "string" ? found : found.code;
};

describe("resolveModule", () => {
  test("finds a file by an absolute path, or under the first directory that has it", () => {
    expect(codeOf(join(modules, "greet.ts"))).toBe(join(modules, "greet.ts"));
    expect(codeOf("./greet.ts")).toBe(join(modules, "greet.ts"));
    expect(codeOf("sub/shout.mjs")).toBe(join(modules, "sub/shout.mjs"));
    expect(codeOf("late.ts")).toBe(join(other, "modules-too/late.ts"));
  });

  test("follows links that stay inside, and a directory that is a link itself", () => {
    expect(codeOf("alias.ts")).toBe(join(modules, "greet.ts"));
    expect(codeOf("greet.ts", [join(base, "by-link")])).toBe(join(modules, "greet.ts"));
    expect(codeOf(join(base, "by-link/greet.ts"), [join(base, "by-link")])).toBe(join(modules, "greet.ts"));
    expect(codeOf(join(modules, "greet.ts"), [join(base, "by-link")])).toBe(join(modules, "greet.ts"));
  });

  test.each([
    ["a path elsewhere", "/etc/passwd"],
    ["a path that climbs out", "../other/secret.ts"],
    ["one that climbs and comes back", "sub/../../other/secret.ts"],
    ["a link to a file outside", "link.ts"],
    ["a link to a directory outside", "linked/secret.ts"],
    ["a directory with the same beginning", join(base, "modules-not/a.ts")],
    ["the directory itself", "."],
  ])("refuses %s", (_, path) => {
    expect(codeOf(path)).toBe("MODULE_OUTSIDE");
  });

  test("says nothing of what exists outside", () => {
    expect(codeOf(join(other, "none.ts"))).toBe("MODULE_OUTSIDE");
    expect(codeOf("linked/none.ts")).toBe("MODULE_OUTSIDE");
    expect(codeOf("linked/no/none.ts")).toBe("MODULE_OUTSIDE");
    expect(codeOf("greet.ts", [])).toBe("MODULE_OUTSIDE");
  });

  test("names the nearest file for one that is missing", () => {
    expect(resolveModule("gret.ts", directories)).toEqual({
      code: "MODULE_NOT_FOUND",
      message: 'there is no module "gret.ts"; did you mean "greet.ts"?',
    });
    expect(codeOf("no/such.ts")).toBe("MODULE_NOT_FOUND");
    expect(codeOf("dangling.ts")).toBe("MODULE_NOT_FOUND");
    expect(codeOf("")).toBe("MODULE_NOT_FOUND");
    expect(codeOf("a\0.ts")).toBe("MODULE_NOT_FOUND");
  });

  test("takes regular files with a module's name only", () => {
    expect(codeOf("folder.ts")).toBe("MODULE_INVALID");
    expect(codeOf("data.json")).toBe("MODULE_INVALID");
  });

  test("escapes the path in its message", () => {
    expect(resolveModule("\u001b[2J.ts", directories)).toMatchObject({
      message: expect.stringContaining('"\\u001b[2J.ts"'),
    });
  });
});
