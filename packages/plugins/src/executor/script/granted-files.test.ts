// Files of a script: what lies below its directories is reached, and nothing else, however the path is written and whatever
// is put in its way meanwhile.

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultError } from "@capstan/orchestrator";
import { directoryFlaw, GrantedFiles } from "./granted-files.ts";

const base = realpathSync(mkdtempSync(join(tmpdir(), "capstan-granted-")));
afterAll(() => rmSync(base, { recursive: true }));
const secret = join(base, "secret.txt");
writeFileSync(secret, "secret");
let made = 0;

/** A directory with a file, a directory in it, and links out of it. */
function granted() {
  const root = join(base, String(made++));
  mkdirSync(join(root, "sub"), { recursive: true });
  writeFileSync(join(root, "a.txt"), "a");
  writeFileSync(join(root, "sub", "b.txt"), "b");
  symlinkSync(secret, join(root, "link.txt"));
  symlinkSync(base, join(root, "linked"));
  symlinkSync("a.txt", join(root, "inner.txt"));
  return { root, files: new GrantedFiles({ read: [root], write: [root] }) };
}

async function codeOf(done: Promise<unknown>): Promise<string> {
  const thrown = await done.then(
    (value) => value,
    (error: unknown) => error,
  );
  if (thrown instanceof FaultError) return thrown.code;
  throw new Error(`it went through: ${JSON.stringify(thrown)}`);
}

describe("a granted directory", () => {
  test("is read from, by names below it and by whole paths", async () => {
    const { root, files } = granted();
    expect(await files.readText("a.txt")).toBe("a");
    expect(await files.readText("./sub//b.txt")).toBe("b");
    expect(await files.readText(join(root, "sub/b.txt"))).toBe("b");
    expect(await files.stat("sub")).toMatchObject({ kind: "directory" });
    expect(await files.stat("a.txt")).toMatchObject({ kind: "file", size: 1, modified: expect.any(Number) as never });
    expect(await files.stat("link.txt")).toMatchObject({ kind: "link" });
    expect(await files.list(".")).toEqual([
      { name: "a.txt", kind: "file" },
      { name: "inner.txt", kind: "link" },
      { name: "link.txt", kind: "link" },
      { name: "linked", kind: "link" },
      { name: "sub", kind: "directory" },
    ]);
    expect(await files.list(root)).toHaveLength(5);
  });

  test("is written to, all of a file or nothing, and keeps what the file was", async () => {
    const { root, files } = granted();
    await files.writeText("sub/new.txt", "new");
    expect(readFileSync(join(root, "sub/new.txt"), "utf8")).toBe("new");
    chmodSync(join(root, "a.txt"), 0o600);
    await files.writeText("a.txt", "other");
    expect(await files.readText("a.txt")).toBe("other");
    expect(statSync(join(root, "a.txt")).mode & 0o777).toBe(0o600);
    expect(await codeOf(files.writeText("a.txt", "x".repeat(5 * 1024 * 1024)))).toBe("FILE_REFUSED");
    expect(await files.readText("a.txt")).toBe("other");
    expect(readdirSync(join(root, "sub")).sort()).toEqual(["b.txt", "new.txt"]);
  });

  test("is not left: not by .., not by a link, not by a path that only begins as it does", async () => {
    const { root, files } = granted();
    for (const path of [
      secret,
      "../secret.txt",
      "sub/../../secret.txt",
      `${root}/../secret.txt`,
      "link.txt",
      "linked/secret.txt",
      "inner.txt",
      `${root}x/a.txt`,
      `/proc/self/cwd${secret}`,
      "a.txt\0",
      "x".repeat(5000),
    ]) {
      expect(await codeOf(files.readText(path))).toBe("FILE_REFUSED");
      expect(await codeOf(files.writeText(path, "over"))).toBe("FILE_REFUSED");
    }
    expect(await codeOf(files.list("linked"))).toBe("FILE_REFUSED");
    expect(await codeOf(files.list(".."))).toBe("FILE_REFUSED");
    expect(readFileSync(secret, "utf8")).toBe("secret");
  });

  test("that is itself reached over a link is refused", async () => {
    const { root } = granted();
    const link = join(base, `link-${made}`);
    symlinkSync(root, link);
    const over = join(base, `over-${made}`);
    symlinkSync(base, over);
    for (const directory of [link, join(over, root.slice(base.length + 1))]) {
      const files = new GrantedFiles({ read: [directory], write: [] });
      expect(await codeOf(files.readText("a.txt"))).toBe("FILE_REFUSED");
    }
  });

  test("holds nothing for what was not granted: reading is not writing, and none is none", async () => {
    const { root } = granted();
    const reader = new GrantedFiles({ read: [root], write: [] });
    expect(await codeOf(reader.writeText("a.txt", "over"))).toBe("FILE_REFUSED");
    const writer = new GrantedFiles({ read: [], write: [root] });
    expect(await codeOf(writer.readText(join(root, "a.txt")))).toBe("FILE_REFUSED");
    await writer.writeText("c.txt", "c");
  });

  test("says what is not there, what is no file and what is no text, with the path as it was written", async () => {
    const { root, files } = granted();
    writeFileSync(join(root, "bytes"), new Uint8Array([0xff, 0xfe]));
    writeFileSync(join(root, "large"), "x".repeat(5 * 1024 * 1024));
    Bun.spawnSync(["mkfifo", join(root, "pipe")]);
    expect(await codeOf(files.readText("none.txt"))).toBe("FILE_NOT_FOUND");
    expect(await codeOf(files.readText("none/a.txt"))).toBe("FILE_NOT_FOUND");
    for (const path of ["sub", "bytes", "large", "pipe", "a.txt/b", "."]) {
      expect(await codeOf(files.readText(path))).toBe("FILE_REFUSED");
    }
    expect(await codeOf(files.writeText("pipe", "x"))).toBe("FILE_REFUSED");
    const message = await files.readText("none\u001b[2J.txt").catch((error: Error) => error.message);
    expect(message).toBe('there is no "none\\u001b[2J.txt"');
    expect(message).not.toContain(root);
  });

  test("is not left while directories on the way are swapped for links", async () => {
    const { root, files } = granted();
    mkdirSync(join(root, "way"));
    writeFileSync(join(root, "way", "secret.txt"), "harmless");
    symlinkSync(base, join(root, "evil"));
    let swapping = true;
    const swap = async (): Promise<void> => {
      while (swapping) {
        renameSync(join(root, "way"), join(root, "kept"));
        renameSync(join(root, "evil"), join(root, "way"));
        await Promise.resolve();
        unlinkSync(join(root, "way"));
        symlinkSync(base, join(root, "evil"));
        renameSync(join(root, "kept"), join(root, "way"));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const swapped = swap();
    const seen = new Set<string>();
    for (let i = 0; i < 300; i++) {
      seen.add(await files.readText("way/secret.txt").catch((error: FaultError) => error.code));
      await files.writeText("way/secret.txt", "harmless").catch(() => undefined);
    }
    swapping = false;
    await swapped;
    expect([...seen].filter((one) => !["harmless", "FILE_REFUSED", "FILE_NOT_FOUND"].includes(one))).toEqual([]);
    expect(readFileSync(secret, "utf8")).toBe("secret");
  }, 60_000);
});

test("a directory is named absolutely and in its simplest form", () => {
  for (const flawed of ["srv", "./srv", "/srv/", "/srv/../etc", "/srv//a", "/srv/./a", "/srv/\u0007"]) {
    expect(directoryFlaw(flawed)).toBeString();
  }
  for (const plain of ["/", "/srv", "/srv/a b"]) expect(directoryFlaw(plain)).toBeUndefined();
});
