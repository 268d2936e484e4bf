// References to secrets, followed: environment, files, sources of the operator's; and every way in which that fails.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fault, type FaultError, fault, parse, type Right } from "@capstan/orchestrator";
import { z } from "zod";
import { configurationSchema, referencesIn, secret, secretOr, withSecrets, withSecretsPut } from "./secret.ts";
import { secretSources } from "./secret-sources.ts";

const directory = mkdtempSync(join(tmpdir(), "capstan-secrets-"));
afterAll(() => rmSync(directory, { recursive: true }));
mkdirSync(join(directory, "in"));
const path = (name: string, text: string | Buffer) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

const asked: Right[] = [];
const all = (right: Right): Fault | undefined => {
  asked.push(right);
  return undefined;
};
const sources = secretSources(
  {
    vault: (name) => (name === "down" ? Promise.reject(new Error("token s.abc refused")) : `of ${name} in the vault`),
    stuck: () => new Promise<string>(() => {}),
    odd: (() => 42) as never,
  },
  { TOKEN: "a-long-token", SHORT: "12345", EMPTY: "" },
);
const read = (reference: string, allows = all, signal = new AbortController().signal) =>
  sources.read(reference, allows, signal);
const refused = (reference: string, allows = all): Promise<Fault> =>
  read(reference, allows).then(
    (text) => Promise.reject(new Error(`it was read: ${text}`)),
    (thrown: FaultError) => thrown.toFault(),
  );

describe("a reference is followed", () => {
  test("to the environment, to a file without its last line end, to a source of the operator's", async () => {
    expect(await read("env:TOKEN")).toBe("a-long-token");
    expect(await read(`file:${path("a", "line 1\nline 2\n")}`)).toBe("line 1\nline 2");
    expect(await read("vault:db/password")).toBe("of db/password in the vault");
  });

  test("where the grant allows it", async () => {
    asked.length = 0;
    await read("env:TOKEN");
    expect(asked).toEqual([{ resource: "secret", verb: "use", name: "env:TOKEN" }]);
    const none = () => fault("REFUSED", "no");
    expect(await refused("env:TOKEN", none)).toMatchObject({ code: "REFUSED" });
  });

  test("by a link inside of its directory, as Kubernetes mounts them, or to where a grant says", async () => {
    const real = path("in/real", "a secret of some length");
    symlinkSync("in/real", join(directory, "link"));
    expect(await read(`file:${join(directory, "link")}`)).toBe("a secret of some length");
    symlinkSync("../a", join(directory, "in", "out"));
    const out = `file:${join(directory, "in", "out")}`;
    const only = ({ name }: Right) => (name === out ? undefined : fault("REFUSED", `not ${name}`));
    expect(await refused(out, only)).toMatchObject({
      code: "SECRET_UNKNOWN",
      message: expect.stringContaining("a link out of its directory"),
    });
    expect(await read(out)).toBe("line 1\nline 2");
    expect(real).toBeString();
  });
});

describe("a reference that leads nowhere is SECRET_UNKNOWN, and tells nothing but itself", () => {
  test.each([
    ["env:NONE", "no such variable"],
    ["env:EMPTY", "shorter than 6"],
    ["env:SHORT", "shorter than 6"],
    ["env:A-B", "no variable's name"],
    ["ftp:x", "there are env:, file:, vault:"],
    ["file:relative", "must be absolute"],
    ["file:/srv/../etc/passwd", "must be absolute, without . and .."],
    ["file:/etc/", "must be absolute"],
    ["file:/nowhere/at/all", "no such file"],
    ["file:/dev/zero", "no regular file"],
    ["odd:x", "gave no text"],
  ])("%s", async (reference, says) => {
    const { code, message } = await refused(reference);
    expect(code).toBe("SECRET_UNKNOWN");
    expect(message).toContain(`secret "${reference}"`);
    expect(message).toContain(says);
    expect(message).not.toContain("12345");
  });

  test("a directory, and a file that is too large", async () => {
    expect(await refused(`file:${join(directory, "in")}`)).toMatchObject({
      message: expect.stringContaining("no regular file"),
    });
    const large = path("large", Buffer.alloc(16 * 1024 + 1, "x"));
    expect(await refused(`file:${large}`)).toMatchObject({ message: expect.stringContaining("larger than 16384") });
  });
});

test("a source that fails is SECRET_UNAVAILABLE, and what it says is told to nobody", async () => {
  const { code, message } = await refused("vault:down");
  expect(code).toBe("SECRET_UNAVAILABLE");
  expect(message).not.toContain("s.abc");
});

test("a source that hangs is left when the run is aborted", async () => {
  const abort = new AbortController();
  const reading = read("stuck:x", all, abort.signal).catch((thrown: FaultError) => thrown.code);
  abort.abort(new Error("enough"));
  expect(await reading).toBe("SECRET_UNAVAILABLE");
});

test("a scheme that has a meaning already, or is no name, cannot be added", () => {
  for (const scheme of ["env", "file", "Vault", "a:b", ""]) {
    expect(() => secretSources({ [scheme]: () => "" })).toThrow("cannot be a scheme");
  }
});

describe("secretOr", () => {
  const schema = z.strictObject({ user: z.string(), password: secretOr(z.string().min(3)).optional() });
  const problem = (configuration: unknown): string => {
    try {
      parse("a", schema, configuration, "CONFIG_INVALID");
    } catch (thrown) {
      return (thrown as FaultError).message;
    }
    throw new Error("it fits");
  };

  test("takes what the schema describes, or a reference", () => {
    const reference = { user: "u", password: { secret: "env:TOKEN" } };
    expect(schema.parse(reference)).toEqual(reference as never);
    expect(schema.parse({ user: "u", password: "plain" })).toEqual({ user: "u", password: "plain" });
  });

  test("says what is wrong with either", () => {
    expect(problem({ user: "u", password: 7 })).toContain('"password" ');
    expect(problem({ user: "u", password: 7 })).toContain('{ secret: "env:NAME" }');
    for (const secret of ["TOKEN", "env:", "env:a b", "env:\u001b[31m", 7]) {
      expect(problem({ user: "u", password: { secret } })).toContain("must be a reference to a secret");
    }
    expect(problem({ user: "u", password: { secret: "env:TOKEN", more: 1 } })).toContain('unknown "more"');
  });

  test("secret() takes a reference alone, until the secret is in its place", () => {
    const only = z.strictObject({ password: secret(z.string().min(8)) });
    const given = (password: unknown) => only.safeParse({ password });
    expect(given({ secret: "env:TOKEN" }).success).toBe(true);
    expect(given("written out").error?.issues[0]?.message).toStartWith("must be a reference to a secret");
    expect(withSecretsPut(() => given("written out")).data).toEqual({ password: "written out" });
    expect(withSecretsPut(() => given("short")).success).toBe(false);
    expect(given("written out").success).toBe(false);
    expect(configurationSchema(only)).toMatchObject({
      properties: { password: { type: "object", properties: { secret: { type: "string" } }, required: ["secret"] } },
    });
  });

  test("references are found wherever they stand, each once, and are replaced there", () => {
    const configuration = {
      a: { secret: "env:A" },
      list: [{ secret: "env:A" }, { b: { secret: "file:/b" } }],
      secret: "no",
    };
    expect(referencesIn(configuration)).toEqual(["env:A", "file:/b"]);
    expect(withSecrets(configuration, (reference) => `<${reference}>`)).toEqual({
      ...{ a: "<env:A>", list: ["<env:A>", { b: "<file:/b>" }], secret: "no" },
    });
  });
});
