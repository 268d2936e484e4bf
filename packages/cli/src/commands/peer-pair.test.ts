// Two machines from nothing to a peered pair: EXPERIENCE.md's four commands, given to two nodes that are served here; and what comes
// of an invitation that is used otherwise than it was meant.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificatePin } from "@capstan/orchestrator";
import { peerNode } from "../peer-nodes.fixture.ts";
import { directory, type Ended, type ServedNode } from "../served-node.fixture.ts";
import { CERTIFICATE, KEY } from "../settings/self-signed.fixture.ts";

let berlin: ServedNode;
let osaka: ServedNode;
let lima: ServedNode;

beforeAll(async () => {
  [berlin, osaka, lima] = (await Promise.all(["berlin", "osaka", "lima"].map((name) => peerNode(name)))) as [
    ServedNode,
    ServedNode,
    ServedNode,
  ];
  await berlin.capstan("action", "register", "greet", "--module", "./greet.ts");
  for (const name of ["report.daily", "report.weekly", "secret"])
    expect((await osaka.capstan("action", "register", name, "--module", "./greet.ts")).code).toBe(0);
});
afterAll(() => Promise.all([berlin, osaka, lima].map((node) => node[Symbol.asyncDispose]())));

/** A file that somebody carried from one machine to another. */
function carried(
  from: ServedNode,
  to: ServedNode,
  name: string,
  change: (text: string) => string = (text) => text,
): void {
  copyFileSync(join(from.cwd, name), join(to.cwd, name));
  writeFileSync(join(to.cwd, name), change(readFileSync(join(from.cwd, name), "utf8")));
  chmodSync(join(to.cwd, name), 0o600);
}

const shown = async (node: ServedNode, name: string) =>
  JSON.parse((await node.capstan("peer", "show", name, "--json")).out) as Readonly<Record<string, unknown>>;

/** For a session; more than any machine needs. */
const LONGEST = "60s";

/** Asks until it is so. The limit is for a test that fails. */
async function until(asked: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 30_000;
  while (!(await asked())) {
    if (performance.now() > limit) throw new Error(`it did not become so: ${String(asked)}`);
    await Bun.sleep(10); // a command asks: there is nothing to await, and what is asked for needs the processor
  }
}

describe("two machines peer in four commands", () => {
  let node: string;
  let secret: string;
  const perform = (at: ServedNode, name: string, who: string): Promise<Ended> =>
    at.capstan("perform", name, JSON.stringify({ name: who }));

  test("the first one invites", async () => {
    const words = ["--import", "action:report.*", "--export", "action:greet", "--out", "osaka.invite"];
    const { code, out } = await berlin.capstan("peer", "invite", "osaka", ...words);
    expect([code, out]).toEqual([0, "wrote osaka.invite (0600: url, node id, pair secret; once, 1 h)\n"]);
    expect(statSync(join(berlin.cwd, "osaka.invite")).mode & 0o777).toBe(0o600);
    ({ node, secret } = JSON.parse(readFileSync(join(berlin.cwd, "osaka.invite"), "utf8")));
    expect(await shown(berlin, "osaka")).toMatchObject({ state: "invited", in: 0, out: 0 });
    expect((await berlin.capstan("peer", "list")).out).toMatch(/^osaka +invited +until 20\S+Z\n$/);
  });

  test("the second one adds, and both know what the other offers", async () => {
    carried(berlin, osaka, "osaka.invite");
    const words = ["--import", "action:greet", "--export", "action:report.*"];
    const { code, out, err } = await osaka.capstan("peer", "add", "berlin", "--invite", "osaka.invite", ...words);
    expect([code, out, err]).toEqual([0, `established berlin ${node}   in 1 (0 filtered)   out 2\n`, ""]);
    expect((await berlin.capstan("peer", "list")).out).toMatch(
      /^osaka {2}n-\w+ +established {2}in 2 \(0 filtered\) {2}out 1 {2}for \d+ s\n$/,
    );
    expect((await berlin.capstan("route", "list")).out).toMatch(
      /^action:greet +here\naction:report\.daily +via osaka {2}n-\w+\naction:report\.weekly +via osaka {2}n-\w+\ntopic:action\.greet +here\n$/,
    );
    expect((await osaka.capstan("route", "show", "action:greet")).out).toBe(
      `action:greet\n  best  via berlin  ${node}  origin ${node}\n`,
    );
  });

  test("what one offers, the other performs, and nothing else", async () => {
    const { code, out, err } = await perform(osaka, "greet", "Yuki");
    expect([code, out]).toEqual([0, '{"text":"Hello, Yuki"}\n']);
    expect(err).toMatch(/^ {2}execution x-\w+ {3}via berlin {3}/);
    expect((await osaka.capstan("action", "list")).out).toContain("\nreport.daily@1   module      {name: string} → ");
    expect((await osaka.capstan("action", "list")).out).toMatch(/^greet +via berlin +n-\w+$/m);
    expect((await perform(berlin, "report.daily", "Ada")).out).toBe('{"text":"Hello, Ada"}\n');
    expect(await perform(berlin, "secret", "Ada")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^ACTION_UNKNOWN/),
    });
    const wrong = await osaka.capstan("perform", "greet", '{"nmae":"Yuki"}');
    expect([wrong.code, wrong.err]).toEqual([65, expect.stringMatching(/^INPUT_INVALID .*did you mean "name"\?/)]);
  });

  test("a policy is changed while they speak, and says what it filtered", async () => {
    const filtered = async () => (await osaka.capstan("route", "list", "--filtered")).out;
    expect((await osaka.capstan("peer", "configure", "berlin", "--import", "action:other")).code).toBe(0);
    await until(async () => (await filtered()).includes("filtered"));
    expect(await filtered()).toMatch(/^action:greet +via berlin .* filtered: import-policy, no clause accepts it$/m);
    expect((await perform(osaka, "greet", "Yuki")).err).toStartWith("ACTION_UNKNOWN");
    await osaka.capstan("peer", "configure", "berlin", "--import", "action:greet");
    await until(async () => (await perform(osaka, "greet", "Yuki")).code === 0);
  });

  test("a peer is stopped and started, and removed for good", async () => {
    expect((await berlin.capstan("peer", "stop", "osaka")).out).toBe("stopped osaka\n");
    await until(async () => (await shown(osaka, "berlin")).state !== "established");
    expect(await shown(berlin, "osaka")).toMatchObject({ state: "stopped", in: 0, out: 0 });
    expect((await osaka.capstan("peer", "show", "berlin")).out).toMatch(
      // The second is what it is told where it has dialled again since.
      /^last +it said cease\/(administrative-shutdown|connection-rejected)/m,
    );
    expect((await berlin.capstan("peer", "start", "osaka")).out).toBe("started osaka\n");
    await until(async () => (await shown(osaka, "berlin")).complete === true);
    expect((await perform(osaka, "greet", "Yuki")).code).toBe(0);
    expect((await berlin.capstan("peer", "remove", "osaka")).out).toBe("removed osaka\n");
    await until(async () => (await shown(osaka, "berlin")).state !== "established");
    await until(async () => (await perform(osaka, "greet", "Yuki")).err.startsWith("ACTION_UNKNOWN"));
    expect((await berlin.capstan("peer", "show", "osaka")).err).toStartWith("PEER_UNKNOWN");
    await osaka.capstan("peer", "remove", "berlin");
  });

  test("the pair's secret was in the invitation and in the nodes' own files, and nowhere else", () => {
    /** The file's mode where it has it. A peer's own goes a moment after its peer, and may be gone by now. */
    const holding = (path: string): number | undefined => {
      try {
        return readFileSync(path).includes(secret) ? statSync(path).mode & 0o777 : undefined;
      } catch (thrown) {
        if ((thrown as { code?: string }).code === "ENOENT") return undefined;
        throw thrown;
      }
    };
    const found = [berlin, osaka].flatMap(({ cwd }) =>
      readdirSync(cwd, { recursive: true, withFileTypes: true })
        .filter((file) => file.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
        .map((path) => [path.slice(cwd.length + 1), holding(path)] as const)
        .filter(([, mode]) => mode !== undefined),
    );
    expect(found.map(([path]) => path)).toContain("osaka.invite");
    for (const [path, mode] of found)
      expect([path, mode]).toEqual([
        expect.stringMatching(/^(osaka\.invite|\.capstan\/peers\/\w+-\S+\.secret)$/),
        0o600,
      ]);
  });
});

describe("an invitation", () => {
  const invite = async (...words: string[]): Promise<void> => {
    const { code, err } = await berlin.capstan("peer", "invite", "guest", "--export", "action:greet", ...words);
    expect([code, err.includes("PEER_")]).toEqual([0, false]);
  };
  const add = (node: ServedNode, file: string, wait: string): Promise<Ended> =>
    node.capstan("peer", "add", "berlin", "--invite", file, "--import", "action:greet", "--wait", wait);
  /** Why it is not established, once that is known. */
  const refusal = async (node: ServedNode, file: string): Promise<unknown> => {
    expect((await add(node, file, "0")).code).toBe(0);
    await until(async () => (await shown(node, "berlin")).reason !== undefined);
    const { reason } = await shown(node, "berlin");
    await node.capstan("peer", "remove", "berlin");
    return reason;
  };
  const UNKNOWN = expect.stringMatching(/^it said open-error\/authentication-failure: /);

  test("is taken once", async () => {
    await invite("--out", "once.invite");
    carried(berlin, osaka, "once.invite");
    carried(berlin, lima, "once.invite");
    expect((await add(osaka, "once.invite", LONGEST)).code).toBe(0);
    expect(await refusal(lima, "once.invite")).toEqual(UNKNOWN);
    // The first one is not disturbed, and its own name is its own.
    expect(await shown(osaka, "berlin")).toMatchObject({ state: "established", in: 1 });
    const again = await berlin.capstan("peer", "invite", "guest", "--out", "again.invite");
    expect([again.code, again.err]).toEqual([1, expect.stringMatching(/^PEER_EXISTS/)]);
    await osaka.capstan("peer", "remove", "berlin");
    await berlin.capstan("peer", "remove", "guest");
  });

  test("is good for nothing with another secret in it, and is still there for whom it is", async () => {
    await invite("--out", "mine.invite");
    carried(berlin, lima, "mine.invite", (text) => text.replace(/"secret": "[^"]*"/, `"secret": "${"A".repeat(43)}"`));
    expect(await refusal(lima, "mine.invite")).toEqual(UNKNOWN);
    expect(await shown(berlin, "guest")).toMatchObject({ state: "invited" });
    carried(berlin, lima, "mine.invite");
    expect((await add(lima, "mine.invite", LONGEST)).code).toBe(0);
    await lima.capstan("peer", "remove", "berlin");
    await berlin.capstan("peer", "remove", "guest");
  });

  test("that has expired is refused by the node, whatever the file says", async () => {
    // One that is over before the node hears of it is refused.
    const short = ["--out", "late.invite", "--export", "action:greet", "--expires", "0.5s"];
    await until(async () => (await berlin.capstan("peer", "invite", "guest", ...short)).code === 0);
    carried(berlin, lima, "late.invite", (text) =>
      text.replace(/"expires": "[^"]*"/, '"expires": "2100-01-01T00:00:00Z"'),
    );
    const expires = JSON.parse(readFileSync(join(berlin.cwd, "late.invite"), "utf8")).expires as string;
    await until(async () => {
      await berlin.capstan("log", "head");
      return Date.now() > Date.parse(expires);
    });
    expect(await refusal(lima, "late.invite")).toEqual(UNKNOWN);
    carried(berlin, lima, "late.invite");
    const told = await add(lima, "late.invite", "0");
    expect([told.code, told.err]).toEqual([65, expect.stringMatching(/^INVITE_INVALID {2}late\.invite expired at /)]);
    await berlin.capstan("peer", "remove", "guest");
  });

  test("for a peer that there is brings another secret and key, and the one before is good meanwhile", async () => {
    await invite("--out", "first.invite");
    carried(berlin, lima, "first.invite");
    expect((await add(lima, "first.invite", LONGEST)).code).toBe(0);
    const { code, out } = await berlin.capstan("peer", "invite", "guest", "--renew", "--out", "second.invite");
    expect([code, out]).toEqual([
      0,
      "wrote second.invite (0600: url, node id, pair secret; 1 h); the secret before is good until the next\n",
    ]);
    await until(async () => (await shown(lima, "berlin")).complete === true);
    carried(berlin, lima, "second.invite");
    expect((await lima.capstan("peer", "configure", "berlin", "--invite", "second.invite")).out).toBe(
      "configured berlin\n",
    );
    await until(async () => (await shown(lima, "berlin")).complete === true);
    expect((await shown(lima, "berlin")).secrets).toHaveLength(2);
    expect((await shown(lima, "berlin")).keys).toHaveLength(1);
    await lima.capstan("peer", "remove", "berlin");
    await berlin.capstan("peer", "remove", "guest");
  });

  test("to where nobody answers says so, and who it is from is pinned", async () => {
    await invite("--out", "away.invite", "--address", "http://127.0.0.1:1");
    carried(berlin, lima, "away.invite");
    expect(await refusal(lima, "away.invite")).toStartWith("http://127.0.0.1:1 could not be reached");
    // Another node at the address, with the secret of the two: it is not the one that was invited by.
    carried(berlin, lima, "away.invite", (text) => text.replace(/"url": "[^"]*"/, `"url": "${osaka.url}"`));
    expect(await refusal(lima, "away.invite")).toEqual(UNKNOWN);
    await berlin.capstan("peer", "remove", "guest");
  });
});

describe("a node that is served with TLS", () => {
  test("is peered with under the certificate that its invitation pins, and under no other", async () => {
    const cwd = directory();
    writeFileSync(join(cwd, "c.pem"), CERTIFICATE);
    writeFileSync(join(cwd, "k.pem"), KEY, { mode: 0o600 });
    await using munich = await peerNode("munich", ["--tls-cert", "c.pem", "--tls-key", "k.pem"], cwd);
    const { out } = await munich.capstan("peer", "invite", "lima", "--out", "lima.invite");
    expect(out).toBe("wrote lima.invite (0600: url, node id, certificate pin, pair secret; once, 1 h)\n");
    const pin = certificatePin(CERTIFICATE);
    carried(munich, lima, "lima.invite", (text) => text.replace(pin, `sha256-${"A".repeat(43)}`));
    expect((await lima.capstan("peer", "add", "munich", "--invite", "lima.invite", "--wait", "0")).code).toBe(0);
    await until(async () => String((await shown(lima, "munich")).reason).includes("not served under the pinned"));
    expect((await lima.capstan("peer", "configure", "munich", "--pin", pin)).code).toBe(0);
    await until(async () => (await shown(lima, "munich")).state === "established");
    expect(await shown(lima, "munich")).toMatchObject({ address: munich.url });
  });
});

describe("a node that is served over iroh", () => {
  test("is peered with by its key", async () => {
    await using munich = await peerNode("munich", ["--iroh", "127.0.0.1:0"]);
    const { iroh } = JSON.parse(readFileSync(join(munich.cwd, ".capstan", "server.json"), "utf8")) as { iroh: string };
    const invited = await munich.capstan("peer", "invite", "lima", "--address", iroh, "--out", "lima.invite");
    expect([invited.code, invited.err]).toEqual([0, expect.not.stringContaining("this machine alone")]);
    carried(munich, lima, "lima.invite");
    const { code, out } = await lima.capstan("peer", "add", "by-key", "--invite", "lima.invite");
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^established by-key n-\w+ {3}in 0 \(0 filtered\) {3}out 0\n$/),
    ]);
    expect(await shown(lima, "by-key")).toMatchObject({ address: iroh });
    await lima.capstan("peer", "remove", "by-key");
  });
});
