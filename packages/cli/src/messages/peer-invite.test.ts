// Invitations on the command line: what goes to the node and what goes into the file, what one is refused for, and what a node is
// told where it is taken. The node is one of the test's; real ones are in commands/peer-pair.test.ts.

import { afterAll, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestIo, testIo } from "../test-io.ts";
import { accepts, askedNode, ESTABLISHED, FILE, fail, IDENTITY, KEY, PIN, SECRET_ID } from "./asked-node.fixture.ts";

const node = askedNode();
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(() => node.forget());

describe("peer invite", () => {
  const invite = (words: readonly string[], io?: TestIo) => node.capstan(["peer", "invite", "osaka", ...words], io);

  test("writes a file of mode 0600 and hands the node the secret by a message of its own", async () => {
    const { io, code, out, err } = await invite([
      ...["--import", "action:report.*", "--export", "action:greet", "--out", "osaka.invite"],
    ]);
    expect([code, out]).toEqual([0, "wrote osaka.invite (0600: url, node id, pair secret; once, 1 h)\n"]);
    expect(err).toContain("is reached on this machine alone; elsewhere it needs --address");
    const path = join(io.cwd, "osaka.invite");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const file = JSON.parse(readFileSync(path, "utf8"));
    const { secret, expires, ...rest } = file;
    expect(rest).toEqual({ format: "capstan.peer-invite/1", url: node.url, ...IDENTITY });
    expect(Buffer.from(secret, "base64url").length).toBe(32);
    expect(Math.abs(Date.parse(expires) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect(node.of("peer.keep")).toEqual([{ name: "osaka", secret }]);
    expect(node.of("peer.invite")).toEqual([
      {
        ...{ name: "osaka", import: accepts("action:report.*"), export: accepts("action:greet") },
        ...{ secrets: [{ secret: "file:peers/osaka.secret" }], secretId: SECRET_ID, expires: Date.parse(expires) },
      },
    ]);
    // It is nowhere but in the file, and in the one message.
    expect(out + err).not.toContain(secret);
    expect(JSON.stringify(node.of("peer.invite"))).not.toContain(secret);
  });

  test("says how long it was asked for, however late the node answers", async () => {
    node.answers({
      "peer.identity": () => {
        setSystemTime(Date.now() + 5_000);
        return IDENTITY;
      },
    });
    const { out } = await invite(["--out", "i"]).finally(() => setSystemTime());
    expect(out).toContain("; once, 1 h)");
  });

  test("names where the node is reached, what is pinned there, and until when it is good", async () => {
    const words = ["--address", "berlin.example:7420", "--pin", PIN, "--expires", "30m", "--out", "i", "--json"];
    const { io, code, out, err } = await invite([...words, "--domain", "osaka", "--limits", '{"routes":9}']);
    expect([code, err]).toEqual([0, ""]);
    const file = JSON.parse(readFileSync(join(io.cwd, "i"), "utf8"));
    expect(file).toMatchObject({ url: "https://berlin.example:7420", pin: PIN });
    expect(JSON.parse(out)).toEqual({
      ...{
        name: "osaka",
        grant: "g-2",
        file: "i",
        url: file.url,
        node: "n-here",
        expires: file.expires,
        pin: file.pin,
      },
    });
    const nothing = { clauses: [] };
    expect(node.of("peer.invite")).toMatchObject([
      { domain: "osaka", limits: { routes: 9 }, import: nothing, export: nothing },
    ]);
    expect(node.of("peer.invite")[0]).not.toHaveProperty("address");
  });

  test("warns of what is in plain text, and of a certificate that nothing pins", async () => {
    const plain = await invite(["--address", "http://berlin.example:7420", "--out", "i"]);
    expect(plain.err).toContain("warning: http://berlin.example:7420 is plain text");
    const other = await invite(["--address", "https://berlin.example", "--out", "i"]);
    expect(other.err).toContain("warning: no certificate is pinned");
    expect(other.out).toContain("(0600: url, node id, pair secret;");
  });

  test("leaves no file and sends nothing where it cannot be, and no file where the node refuses", async () => {
    const io = testIo();
    for (const [words, text] of [
      [[], "--out <file> is missing; as in: capstan peer invite osaka"],
      [["--out", "i", "--expires", "soon"], '--expires "soon" is no time'],
      [["--out", "i", "--expires", "2020-01-01"], '--expires "2020-01-01" is over already'],
      [["--out", "i", "--pin", "sha256/x"], '--pin "sha256/x" is no pin, like sha256-…'],
      [["--out", "i", "--address", "https://u:p@h"], "--address: no credential belongs into an address"],
      [["--out", "i", "--address", "ftp://h"], "is no address of a node"],
      [["--out", "i", "--address", "https://h/where?x"], "is no address of a node"],
      [["--out", "i", "--import", "greet"], '--import "greet" is no pattern of routes; an action\'s is action:greet'],
      [["--out", "i", "--export", "@p.json", "--export", "action:a"], "--export: a whole policy is all that it says"],
    ] as const) {
      const said = await invite(words, { ...io, ...testIo(), cwd: io.cwd });
      expect([said.code, said.err]).toEqual([64, expect.stringContaining(text)]);
    }
    expect(node.asked()).toEqual([]);
    node.answers({ "peer.invite": () => fail("PEER_EXISTS", 'there is a peer "osaka"') });
    const refused = await invite(["--out", "i"], { ...testIo(), cwd: io.cwd });
    expect([refused.code, refused.err]).toEqual([1, 'PEER_EXISTS  there is a peer "osaka"\n']);
    node.answers({ "peer.keep": () => fail("NODE_WITHOUT_FILES", "no directory") });
    expect((await invite(["--out", "i"], { ...testIo(), cwd: io.cwd })).code).toBe(78);
    expect(existsSync(join(io.cwd, "i"))).toBe(false);
    writeFileSync(join(io.cwd, "i"), "mine");
    const there = await invite(["--out", "i"], { ...testIo(), cwd: io.cwd });
    expect([there.code, there.err]).toEqual([73, expect.stringMatching(/^FILE_UNWRITABLE .* it is there already\n$/)]);
    expect(readFileSync(join(io.cwd, "i"), "utf8")).toBe("mine");
  });

  test("that lets nothing pass says so, unless it is inside a domain", async () => {
    expect((await invite(["--out", "i"])).err).toContain(
      "nothing comes in (no --import), nothing goes out (no --export)",
    );
    expect((await invite(["--out", "i", "--import", "*"])).err).toContain("  nothing goes out (no --export)\n");
    expect((await invite(["--out", "i", "--domain", IDENTITY.domain])).err).not.toContain("nothing");
  });

  test("a whole policy is read from a file or from the flag itself", async () => {
    const io = testIo();
    writeFileSync(join(io.cwd, "p.json"), '{"clauses":[{"name":"a","then":"accept","unowned":true}]}');
    await invite(["--out", "i", "--import", "@p.json", "--export", '{"clauses":[]}'], io);
    expect(node.of("peer.invite")).toMatchObject([
      { import: { clauses: [{ name: "a", then: "accept", unowned: true }] }, export: { clauses: [] } },
    ]);
  });
});

describe("peer add", () => {
  const withFile = (file: unknown = FILE, mode = 0o600): TestIo => {
    const io = testIo();
    writeFileSync(join(io.cwd, "i"), typeof file === "string" ? file : JSON.stringify(file), { mode });
    chmodSync(join(io.cwd, "i"), mode);
    return io;
  };
  const add = (words: readonly string[], io: TestIo) =>
    node.capstan(["peer", "add", "berlin", "--invite", "i", ...words], io);

  test("configures what the invitation says, and waits until both have told each other everything", async () => {
    const shows = [{ name: "berlin", state: "connect" }, { ...ESTABLISHED, complete: false, out: 0 }, ESTABLISHED];
    node.answers({ "peer.show": () => shows.shift() });
    const io = withFile();
    const { code, out, err } = await add(["--import", "action:greet", "--export", "action:report.*"], io);
    expect([code, out, err]).toEqual([0, "established berlin n-7f3a   in 1 (0 filtered)   out 2\n", ""]);
    expect(node.of("peer.keep")).toEqual([{ name: "berlin", secret: FILE.secret }]);
    expect(node.of("peer.add")).toEqual([
      {
        ...{ name: "berlin", node: "n-7f3a", keys: [KEY], domain: "berlin", address: FILE.url, pin: FILE.pin },
        ...{ secrets: [{ secret: "file:peers/berlin.secret" }] },
        ...{ import: accepts("action:greet"), export: accepts("action:report.*") },
      },
    ]);
    expect(shows).toEqual([]);
  });

  test("with --json it is the peer as the node shows it; with --wait 0 nothing is waited for", async () => {
    expect(JSON.parse((await add(["--json"], withFile())).out)).toEqual(ESTABLISHED);
    node.forget();
    const quick = await add(["--wait", "0"], withFile());
    expect([quick.out, quick.err]).toEqual(["added berlin\n", "  it is being tried: capstan peer show berlin\n"]);
    expect(node.of("peer.show")).toEqual([]);
  });

  test("says where nothing passes", async () => {
    expect((await add(["--import", "action:greet"], withFile())).err).toBe("  nothing goes out (no --export)\n");
  });

  test("of one's own domain lets everything pass, which no file can say", async () => {
    node.answers({ "peer.identity": () => ({ ...IDENTITY, domain: "berlin" }) });
    const silent = await add([], withFile());
    expect([silent.code, silent.err]).toEqual([
      65,
      "INVITE_INVALID  i is of this node's own domain, berlin; if that is meant, say --domain berlin\n",
    ]);
    expect(node.of("peer.keep")).toEqual([]);
    expect((await add(["--domain", "berlin"], withFile())).err).toBe("");
    expect(node.of("peer.add")).toMatchObject([{ domain: "berlin", import: { clauses: [] } }]);
  });

  test("another address than the invitation's comes without its pin", async () => {
    await add(["--address", "10.0.0.1:7420", "--domain", "europe"], withFile());
    const [added] = node.of("peer.add");
    expect(added).toMatchObject({ address: "https://10.0.0.1:7420", domain: "europe" });
    expect(added).not.toHaveProperty("pin");
  });

  test("says why there is no session, and that it goes on", async () => {
    node.answers({ "peer.show": () => ({ name: "berlin", state: "idle", reason: "nobody answers there" }) });
    const { code, err } = await add(["--wait", "150ms"], withFile());
    expect([code, err]).toEqual([
      69,
      "PEER_NOT_ESTABLISHED  berlin is idle after 1 s (nobody answers there); it is configured, and tried on: capstan peer show berlin\n",
    ]);
    node.answers({ "peer.show": () => ({ name: "berlin", state: "stopped" }) });
    expect((await add([], withFile())).err).toBe("PEER_NOT_ESTABLISHED  berlin is stopped: capstan peer show berlin\n");
  });

  test("is left to go on by Ctrl-C, which says where to look", async () => {
    node.answers({ "peer.show": () => ({ name: "berlin", state: "idle", reason: "nobody answers there" }) });
    const io = { ...withFile(), terminal: { stdout: true, stderr: true } };
    const { code, err } = await add(["--wait", "10m"], io);
    expect([code, err]).toEqual([
      75,
      expect.stringMatching(
        /DETACHED.* {2}berlin is idle \(nobody answers there\), and no longer waited for; it is configured, and tried on: capstan peer show berlin\n$/,
      ),
    ]);
  });

  test("refuses what is no invitation, without showing any of it, and asks nothing of the node", async () => {
    const { secret: _none, ...without } = FILE;
    for (const [file, text] of [
      ["", "it is not JSON; was it cut off on its way?"],
      [JSON.stringify(FILE).slice(0, -5), "it is not JSON; was it cut off on its way?"],
      ["[]", "its content is missing, or is not as it was written"],
      [without, "its secret is missing, or is not as it was written"],
      [{ ...FILE, secret: "short" }, "its secret is missing, or is not as it was written"],
      [{ ...FILE, key: `${KEY}A` }, "its key is missing, or is not as it was written"],
      [{ ...FILE, node: "n 1" }, "its node is missing, or is not as it was written"],
      [{ ...FILE, format: "capstan.peer-invite/2" }, "its format is missing, or is not as it was written"],
      [{ ...FILE, pin: "c" }, "its pin is missing, or is not as it was written"],
      [{ ...FILE, more: 1 }, "it has fields that this capstan does not know; is it of a newer one?"],
      [{ ...FILE, expires: "2020-01-01T00:00:00Z" }, "expired at 2020-01-01T00:00:00Z; have berlin make another"],
      ["x".repeat(70_000), "it is larger than 64 KiB"],
    ] as const) {
      const { code, err } = await add([], withFile(file));
      expect([code, err]).toEqual([65, expect.stringContaining(text)]);
      expect(err).toStartWith("INVITE_INVALID  i ");
      expect(err).not.toContain(FILE.secret);
    }
    const nothing = await add([], testIo());
    expect([nothing.code, nothing.err]).toEqual([65, expect.stringMatching(/^FILE_UNREADABLE .*no such file/)]);
    const both = await add(["--node", "n-1"], withFile());
    expect([both.code, both.err]).toEqual([64, expect.stringContaining("--invite and --node say the same twice")]);
    expect(node.asked()).toEqual([]);
  });

  test("a node does not take its own invitation", async () => {
    const { code, err } = await add([], withFile({ ...FILE, node: "n-here" }));
    expect([code, err]).toEqual([65, "INVITE_INVALID  i is this node's own invitation: the other one adds it\n"]);
    expect(node.of("peer.keep")).toEqual([]);
  });

  test("warns of an invitation that others can read", async () => {
    const { code, err } = await add(["--wait", "0", "--json"], withFile(FILE, 0o644));
    expect([code, err]).toEqual([0, expect.stringContaining("can be read by others on this machine")]);
  });

  test("without an invitation everything is said by flags", async () => {
    const { code } = await node.capstan([
      ...["peer", "add", "b", "--node", "n-1", "--keys", KEY, "--secrets", '[{"secret":"env:S"}]', "--wait", "0"],
    ]);
    expect(code).toBe(0);
    expect(node.of("peer.add")).toMatchObject([
      { name: "b", node: "n-1", keys: [KEY], secrets: [{ secret: "env:S" }] },
    ]);
    expect(node.of("peer.keep")).toEqual([]);
  });
});

describe("a secret, a key, an address that is new", () => {
  const before = {
    ...{ ...ESTABLISHED, keys: ["I".repeat(43)], secrets: [{ secret: "file:peers/old.secret" }] },
  };

  test("is invited with again: the secret before stays beside it", async () => {
    node.answers({ "peer.show": () => before, "peer.configure": ({ name }) => ({ name, grant: "g-2" }) });
    const { io, code, out } = await node.capstan(["peer", "invite", "osaka", "--renew", "--out", "i"]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^wrote i \(0600: .*; 1 h\); the secret before is good/)]);
    const { secret } = JSON.parse(readFileSync(join(io.cwd, "i"), "utf8"));
    expect(node.of("peer.keep")).toEqual([{ name: "osaka", secret }]);
    expect(node.of("peer.configure")).toEqual([
      { name: "osaka", secrets: [{ secret: "file:peers/osaka.secret" }, ...before.secrets] },
    ]);
    expect(node.of("peer.invite")).toEqual([]);
    const more = await node.capstan(["peer", "invite", "osaka", "--renew", "--out", "j", "--export", "action:a"]);
    expect([more.code, more.err]).toEqual([64, expect.stringContaining("--renew changes no export")]);
    node.answers({ "peer.show": () => ({ name: "osaka", state: "invited" }) });
    const invited = await node.capstan(["peer", "invite", "osaka", "--renew", "--out", "j"]);
    expect([invited.code, invited.err]).toEqual([64, expect.stringContaining("use peer remove, and invite again")]);
  });

  test("is taken over from an invitation of that node, and of no other", async () => {
    node.answers({ "peer.show": () => before, "peer.configure": ({ name }) => ({ name, grant: "g-2" }) });
    const io = testIo();
    const invite = { ...FILE, pin: PIN };
    writeFileSync(join(io.cwd, "i"), JSON.stringify(invite), { mode: 0o600 });
    expect((await node.capstan(["peer", "configure", "berlin", "--invite", "i"], io)).out).toBe("configured berlin\n");
    expect(node.of("peer.configure")).toEqual([
      {
        ...{ name: "berlin", address: FILE.url, pin: PIN, keys: [KEY, ...before.keys] },
        secrets: [{ secret: "file:peers/berlin.secret" }, ...before.secrets],
      },
    ]);
    writeFileSync(join(io.cwd, "i"), JSON.stringify({ ...invite, node: "n-other" }));
    const other = await node.capstan(["peer", "configure", "berlin", "--invite", "i"], { ...testIo(), cwd: io.cwd });
    expect([other.code, other.err]).toEqual([65, "INVITE_INVALID  i is of n-other, and berlin is n-7f3a\n"]);
    expect(node.of("peer.keep")).toHaveLength(1);
  });
});
