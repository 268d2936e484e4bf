// Coattail's document, sentence by sentence, in our words: a peer-to-peer system whose blocks are actions and receivers. The
// peering instance is another node, in a directory of its own.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "@capstan/orchestrator/client";
import type { StandardMessages } from "@capstan/plugins";
import { Instance } from "./instance.ts";

const IMPORTS = `import { appendFileSync } from "node:fs";
import { defineAction, defineReceiver } from "@capstan/plugins";
import { z } from "zod";
`;

/** Appends what it is handed to a file beside it. */
const noting = (file: string, more = "") => `${IMPORTS}export default defineReceiver({
  may: ["action.perform:shout", "action.perform:whisper"],
  async run(data, { capstan, publication }) {
    ${more}
    appendFileSync(${JSON.stringify(file)}, JSON.stringify({ data, topic: publication.topic }) + "\\n");
    return { nobody: "sees this" };
  },
});
`;

const FILES = {
  "add.ts": `${IMPORTS}export default defineAction({
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.object({ sum: z.number() }),
  idempotent: true,
  run: ({ a, b }) => ({ sum: a + b }),
});
`,
  "now.ts": `${IMPORTS}export default defineAction({
  input: z.unknown(), output: z.object({ ok: z.boolean() }), idempotent: true, run: () => ({ ok: true }),
});
`,
  "shout.ts": `${IMPORTS}export default defineAction({
  input: z.object({ text: z.string() }), output: z.object({ text: z.string() }),
  run: ({ text }) => ({ text: text.toUpperCase() }),
});
`,
  "relay.ts": `${IMPORTS}export default defineAction({
  input: z.object({ text: z.string() }), output: z.object({ text: z.string() }),
  may: ["action.perform:shout"],
  run: async ({ text }, { capstan }) => (await capstan.perform("shout", { text })).output,
});
`,
  "reach.ts": `${IMPORTS}export default defineAction({
  input: z.object({ names: z.array(z.string()) }), output: z.unknown(),
  may: ["action.perform:whisper", "action.perform:keep"],
  async run({ names }, { capstan }) {
    const one = (name) => capstan.perform(name, { text: "HO" }).then(({ output }) => output.text, ({ code }) => code);
    return { came: await Promise.all(names.map(one)) };
  },
});
`,
};

/** What the other instance has. */
const THEIRS = {
  "whisper.ts": `${IMPORTS}export default defineAction({
  input: z.object({ text: z.string() }), output: z.object({ text: z.string() }),
  run: ({ text }) => ({ text: text.toLowerCase() }),
});
`,
};

const READING = `export default async function (input, { fs }) {
  return { text: await fs.readText(input.path) };
}`;

let instance: Instance;
/** Peers with it: may perform `shout`, and lets it perform `whisper` and `murmur`, and not `keep`. */
let neighbour: Instance;

beforeAll(async () => {
  instance = await Instance.start(FILES);
  for (const name of ["add", "now", "shout", "relay", "reach"])
    await instance.ask("action", "register", name, "--module", `${name}.ts`);
  neighbour = await Instance.start(THEIRS);
  for (const name of ["whisper", "murmur", "keep"])
    await neighbour.ask("action", "register", name, "--module", "whisper.ts");
  await peered("neighbour", neighbour, ["whisper", "murmur"]);
});

afterAll(async () => {
  await neighbour.stop();
  await instance.stop();
});

/** Has the other one peer with the instance. It may perform `shout`, and the instance what is named; both know of it then. */
async function peered(name: string, other: Instance, theirs: readonly string[]): Promise<void> {
  const file = join(instance.directory, `${name}.invite`);
  const flags = (way: string) => theirs.flatMap((action) => [way, `action:${action}`]);
  await instance.ask("peer", "invite", name, ...flags("--import"), "--export", "action:shout", "--out", file);
  await other.ask("peer", "add", "home", "--invite", file, "--import", "action:shout", ...flags("--export"));
  await knows(other, ["shout"]);
  await knows(instance, theirs);
}

async function knows(one: Instance, actions: readonly string[]): Promise<void> {
  for (;;) {
    const { items } = await one.ask<{ items: readonly { name: string }[] }>("action", "list");
    if (actions.every((action) => items.some(({ name }) => name === action))) return;
  }
}

/** The lines that a receiver has noted, once there are as many. */
async function noted(file: string, lines: number): Promise<readonly { data: unknown; topic: string }[]> {
  for (;;) {
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    const found = text.split("\n").filter(Boolean);
    if (found.length >= lines) return found.map((line) => JSON.parse(line) as { data: unknown; topic: string });
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const MAY = ["shout", "whisper"].flatMap((name) => ["--may", `action.perform:${name}`]);

/** Registers a receiver of its own for the topic, which notes what it is handed; answers the file that it notes it in. */
async function receiver(name: string, topic: string, more?: string): Promise<string> {
  const file = join(instance.directory, `${name}.notes`);
  writeFileSync(join(instance.directory, `${name}.ts`), noting(file, more));
  await instance.ask("receiver", "register", name, "--module", `${name}.ts`, ...MAY);
  await instance.ask("subscription", "create", topic, "--receiver", name);
  return file;
}

describe("remote execution and publish-subscribe between services", () => {
  test("a service performs what another offers, over one connection, as it would over gRPC", async () => {
    const { scope, close } = connect<StandardMessages>({
      url: instance.url,
      as: { connectionFromCli: instance.token },
    });
    const answers = await Promise.all([1, 2, 3].map((a) => scope.action.perform({ name: "add", input: { a, b: 1 } })));
    expect(answers.map(({ output }) => output)).toEqual([{ sum: 2 }, { sum: 3 }, { sum: 4 }]);
    close();
  });

  test("or by HTTP, as it would over REST", async () => {
    const answer = await fetch(`${instance.url}/v1/action/perform`, {
      method: "POST",
      headers: { authorization: `Bearer ${instance.token}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "add", input: { a: 2, b: 2 } }),
    });
    expect([answer.status, await answer.json()]).toMatchObject([200, { output: { sum: 4 } }]);
  });

  test("on a peer-to-peer architecture: instances that peer", async () => {
    expect(await instance.ask("perform", "whisper", '{"text":"HO"}')).toMatchObject({
      output: { text: "ho" },
      via: "neighbour",
    });
    expect(await neighbour.ask("perform", "shout", '{"text":"ho"}')).toMatchObject({
      output: { text: "HO" },
      via: "home",
    });
  });
});

describe("actions and receivers are small blocks of code that are put into an instance", () => {
  test("an action is a file, registered; a receiver is another", async () => {
    await receiver("block", "action.add");
    expect(await instance.ask("action", "list")).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ name: "add" })]),
    });
    expect(await instance.ask("receiver", "list")).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ name: "block" })]),
    });
  });
});

describe("who may perform an action", () => {
  test("the administrator, by the command line", async () => {
    expect(await instance.ask("perform", "add", '{"a":1,"b":1}')).toMatchObject({ output: { sum: 2 } });
  });

  test("a receiver of the same instance, without presenting a credential", async () => {
    const text = 'await capstan.perform("shout", { text: "sum " + data.sum });';
    const file = await receiver("performs", "action.add", text);
    const shouted = await receiver("hears", "action.shout");
    await instance.ask("perform", "add", '{"a":20,"b":22}');
    await noted(file, 1);
    expect(await noted(shouted, 1)).toEqual([{ topic: "action.shout", data: { text: "SUM 42" } }]);
  });

  test("though no more than its own `may` covers", async () => {
    const text =
      'const { code } = await capstan.perform("add", { a: 0, b: 0 }).catch((fault) => fault); data = { code };';
    const file = await receiver("bound", "action.now", text);
    await instance.ask("perform", "now");
    expect(await noted(file, 1)).toEqual([{ topic: "action.now", data: { code: "REFUSED" } }]);
  });

  test("a peering instance, where it has the permission", async () => {
    const { via } = await neighbour.ask<{ via: string }>("perform", "shout", '{"text":"by a peer"}');
    expect(via).toBe("home");
    const { items } = await instance.ask<{ items: object[] }>("log", "list", "--message", "action.perform");
    expect(items).toContainEqual(expect.objectContaining({ principal: "peer.neighbour", verdict: "done" }));
  });

  test("and none that it has no permission for: it is not told that there is one, or is refused", async () => {
    const unknown = await neighbour.cli("perform", "add", '{"a":1,"b":1}');
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("ACTION_UNKNOWN")]);
    const former = await Instance.start({});
    try {
      await peered("former", former, []);
      expect(await former.ask("perform", "shout", '{"text":"ho"}')).toMatchObject({ output: { text: "HO" } });
      const { grant } = await instance.ask<{ grant: string }>("peer", "show", "former");
      await instance.ask("grant", "revoke", grant);
      const refused = await former.cli("perform", "shout", '{"text":"ho"}');
      // What keeps its session is said under that grant as well: it may have ended by now, or end meanwhile.
      expect(refused.err).toMatch(
        new RegExp(`^(GRANT_REVOKED {2}home: ${grant} |ACTION_UNREACHABLE {2}|EXECUTION_AMBIGUOUS {2})`),
      );
      const asked = ["--message", "action.perform", "--principal", "peer.former"];
      const { items } = await instance.ask<{ items: { verdict: string }[] }>("log", "list", ...asked);
      expect(items.filter(({ verdict }) => verdict === "done")).toHaveLength(1);
    } finally {
      await former.stop();
    }
  });
});

describe("what actions and receivers can do", () => {
  test("read and write the host's files, where that was enabled, and nowhere else", async () => {
    const secret = join(instance.directory, "FILES.txt");
    writeFileSync(secret, "of the host");
    writeFileSync(join(instance.directory, "read.js"), READING);
    const files = (directory: string) =>
      JSON.stringify({ configuration: { source: READING, files: { read: [directory], write: [] } } });
    await instance.ask("action", "register", "reads", "--protocol", "script", files(instance.directory));
    expect(await instance.ask("perform", "reads", JSON.stringify({ path: secret }))).toMatchObject({
      output: { text: "of the host" },
    });
    await instance.ask(
      "action",
      "register",
      "reads-not",
      "--protocol",
      "script",
      JSON.stringify({ configuration: { source: READING } }),
    );
    const refused = await instance.cli("perform", "reads-not", JSON.stringify({ path: secret }));
    expect(refused.code).not.toBe(0);
    expect(refused.out).not.toContain("of the host");
  });

  test("perform actions of the instance that they are in", async () => {
    expect(await instance.ask("perform", "relay", '{"text":"hi"}')).toMatchObject({ output: { text: "HI" } });
  });

  test("perform the actions of peering instances that they are authorised for", async () => {
    const names = JSON.stringify({ names: ["whisper", "murmur", "keep"] });
    // The second is offered, and not in what the action may; the third it may, and the peer does not offer it.
    expect(await instance.ask("perform", "reach", names)).toMatchObject({
      output: { came: ["ho", "REFUSED", "ACTION_UNKNOWN"] },
    });
  });
});

describe("when an action is performed", () => {
  test("it can require input, of a form that it states", async () => {
    const refused = await instance.cli("perform", "add", '{"a":1}');
    expect([refused.code, refused.err]).toEqual([65, expect.stringContaining('"b" is required')]);
  });

  test("or none", async () => {
    expect(await instance.ask("perform", "now")).toMatchObject({ output: { ok: true } });
  });

  test("it runs the code that it was configured with: a file of the operator's, a script in a sandbox, a program, a request", async () => {
    const source = "export default (input) => ({ twice: input.n * 2 });";
    await instance.ask(
      "action",
      "register",
      "twice",
      "--protocol",
      "script",
      JSON.stringify({ configuration: { source } }),
    );
    expect(await instance.ask("perform", "twice", '{"n":21}')).toMatchObject({ output: { twice: 42 } });
    const argv = ["/bin/echo", "{{input.word}}"];
    const configuration = { argv, cwd: instance.directory, stdout: "text" };
    await instance.ask("action", "register", "echo", "--protocol", "process", JSON.stringify({ configuration }));
    const said = await instance.ask<{ output: unknown }>("perform", "echo", '{"word":"$(whoami)"}');
    expect(JSON.stringify(said.output)).toContain("$(whoami)");
  });

  test("subscribers are notified with what came of it", async () => {
    const file = await receiver("notified", "action.add");
    await instance.ask("perform", "add", '{"a":3,"b":4}');
    expect(await noted(file, 1)).toEqual([{ topic: "action.add", data: { sum: 7 } }]);
  });

  test("unless publication was disabled when it was performed", async () => {
    const file = await receiver("unless", "action.add");
    await instance.ask("perform", "add", '{"a":1,"b":0}', "--publication", "none");
    await instance.ask("perform", "add", '{"a":2,"b":0}');
    expect(await noted(file, 1)).toEqual([{ topic: "action.add", data: { sum: 2 } }]);
  });

  test("or only they are told, and the caller is not", async () => {
    const file = await receiver("only", "action.add");
    const answer = await instance.ask<object>("perform", "add", '{"a":5,"b":0}', "--publication", "only");
    expect("output" in answer).toBe(false);
    expect(await noted(file, 1)).toEqual([{ topic: "action.add", data: { sum: 5 } }]);
  });

  test("it can be published without being performed", async () => {
    const file = await receiver("published", "action.add");
    await instance.ask("action", "publish", "add", '{"output":{"sum":-1}}');
    expect(await noted(file, 1)).toEqual([{ topic: "action.add", data: { sum: -1 } }]);
  });

  test("what came of it is returned to its caller", async () => {
    expect(await instance.ask("perform", "add", '{"a":1,"b":2}')).toMatchObject({ output: { sum: 3 } });
  });

  test("it can be asked for the format of what it gives, before anybody subscribes", async () => {
    expect(await instance.ask("action", "describe", "add")).toMatchObject({
      publishes: { topic: "action.add", schema: { type: "object", properties: { sum: { type: "number" } } } },
    });
  });
});

describe("when a notification is received", () => {
  test("the receiver is handed it, in the format that the action states", async () => {
    const file = await receiver("delegate", "action.shout");
    await instance.ask("perform", "shout", '{"text":"ho"}');
    expect(await noted(file, 1)).toEqual([{ topic: "action.shout", data: { text: "HO" } }]);
  });

  test("it runs the code that it was configured with, of any protocol", async () => {
    const file = join(instance.directory, "by-program");
    const configuration = { argv: ["/usr/bin/tee", file], cwd: instance.directory, stdin: "json", stdout: "text" };
    await instance.ask("receiver", "register", "tee", "--protocol", "process", JSON.stringify({ configuration }));
    await instance.ask("subscription", "create", "action.now", "--receiver", "tee");
    await instance.ask("perform", "now");
    for (let text = ""; !text.includes('"ok"'); text = existsSync(file) ? readFileSync(file, "utf8") : "")
      await new Promise((resolve) => setImmediate(resolve));
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ ok: true });
  });

  test("it gives no output: what its code returns is nobody's", async () => {
    const exported = await instance.ask<unknown>("subscription", "list");
    expect(JSON.stringify(exported)).not.toContain("sees this");
    expect(JSON.stringify(await instance.ask("execution", "list", "--limit", "100"))).not.toContain("sees this");
  });

  test("it can perform actions of the instance without authenticating", async () => {
    const file = await receiver(
      "unauthenticated",
      "action.now",
      'data = (await capstan.perform("shout", { text: "a" })).output;',
    );
    await instance.ask("perform", "now");
    expect(await noted(file, 1)).toEqual([{ topic: "action.now", data: { text: "A" } }]);
  });

  test("it can perform actions of a peering instance, where it has the permission", async () => {
    const far = `const far = (name) => capstan.perform(name, { text: "HO" }).then(({ output }) => output.text, ({ code }) => code);
    data = [await far("whisper"), await far("murmur")];`;
    const file = await receiver("reaches", "action.now", far);
    await instance.ask("perform", "now");
    expect(await noted(file, 1)).toEqual([{ topic: "action.now", data: ["ho", "REFUSED"] }]);
  });
});
