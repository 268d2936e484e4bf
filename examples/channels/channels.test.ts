// Channels on two nodes that peer, over WebSockets: what one has the other is told of, because a table says so and nothing else.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type AnyPlugin, createOrchestrator, parseConfig, serve } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import config from "./capstan.config.ts";
import { channels } from "./channels.ts";

const books = { name: "books", endpoint: "http://books.internal:8080/graphql", protocol: "http:graphql" } as const;
const accept = (...routes: string[]) => ({ clauses: [{ name: "1", then: "accept" as const, match: { routes } }] });
const nothing = { clauses: [] };

type Order = "last" | "first after auth";

async function start(id: string, order: Order = "last") {
  const [auth, ...others] = standard();
  const node = { id, name: id };
  const hub =
    order === "last"
      ? await createOrchestrator({ node, plugins: [auth, ...others, channels()] })
      : await createOrchestrator({ node, plugins: [auth, channels(), ...others] });
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  return { id, hub, app, server: serve(hub, { listen: "127.0.0.1:0" }), key: (await app.peer.identity({})).key };
}

type Node = Awaited<ReturnType<typeof start>>;

/** Has `b` dial `a`: of what either exports the other takes everything. */
async function peered(a: Node, b: Node, exports: { readonly a: object; readonly b: object }): Promise<void> {
  process.env.CHANNELS_PAIR = Buffer.alloc(32, "a pair's secret").toString("base64url");
  const common = { secrets: [{ secret: "env:CHANNELS_PAIR" as never }], import: accept("*") };
  await a.app.peer.add({ ...common, name: "b", node: b.id, keys: [b.key], export: exports.a as never });
  const b_ = { ...common, name: "a", node: a.id, keys: [a.key], export: exports.b as never };
  await b.app.peer.add({ ...b_, address: a.server.url });
  await until(async () => ((await b.app.peer.show({ name: "a" })) as { complete: boolean }).complete);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

/** The ways to a route: by whom, and whether it is filtered. */
async function ways(node: Node, route: string) {
  return (await node.app.route.show({ route })).paths as readonly {
    peer?: string;
    best: boolean;
    digest: string;
    path: readonly string[];
  }[];
}

async function known(node: Node, route: string) {
  await until(async () => (await ways(node, route)).length > 0);
  return (await ways(node, route))[0];
}

const gone = (node: Node, route: string) => until(async () => (await ways(node, route)).length === 0);

describe.each(["last", "first after auth"] as const)("channels, %s in the composition,", (order) => {
  let berlin: Node;
  let osaka: Node;
  beforeEach(async () => {
    [berlin, osaka] = [await start("n-berlin", order), await start("n-osaka", order)];
  });
  afterEach(async () => {
    await osaka.server.stop();
    await berlin.server.stop();
  });

  test("are routed to a peer, those that were there and those that come, until they go", async () => {
    await berlin.app.channel.create(books);
    await peered(berlin, osaka, { a: accept("channel:*"), b: nothing });
    expect(await known(osaka, "channel:books")).toMatchObject({ peer: "a", best: true, path: ["n-berlin"] });
    await berlin.app.channel.create({ ...books, name: "loans" });
    await known(osaka, "channel:loans");
    await berlin.app.channel.delete({ name: "books" });
    await gone(osaka, "channel:books");
    await known(osaka, "channel:loans");
    // And again, as something else.
    await berlin.app.channel.create({ ...books, protocol: "tcp" });
    const [again, loans] = [await known(osaka, "channel:books"), await known(osaka, "channel:loans")];
    expect(again?.digest).not.toBe(loans?.digest as string);
    // Where it is reached is told to nobody.
    expect(JSON.stringify(again)).not.toContain(books.endpoint);
  });
});

describe("of channels", () => {
  let berlin: Node;
  let osaka: Node;
  beforeEach(async () => {
    [berlin, osaka] = [await start("n-berlin"), await start("n-osaka")];
  });
  afterEach(async () => {
    await osaka.server.stop();
    await berlin.server.stop();
  });

  test("no other node hears of a local one, or of one that the policy does not export", async () => {
    await berlin.app.channel.create({ ...books, local: true });
    await berlin.app.channel.create({ ...books, name: "loans" });
    await berlin.app.channel.create({ ...books, name: "public" });
    await peered(berlin, osaka, { a: accept("channel:books", "channel:public"), b: nothing });
    await known(osaka, "channel:public");
    // One update had all that there was to tell.
    const { items } = (await osaka.app.route.list({})) as { items: readonly { route: string }[] };
    expect(items.map(({ route }) => route)).toEqual(["channel:public"]);
  });

  test("both nodes' own ones of one name and protocol are one route, and each prefers its own", async () => {
    await berlin.app.channel.create(books);
    await osaka.app.channel.create(books);
    await peered(berlin, osaka, { a: accept("*"), b: accept("*") });
    await until(async () => (await ways(osaka, "channel:books")).length === 2);
    const [own, theirs] = await ways(osaka, "channel:books");
    expect([own, theirs]).toMatchObject([
      { best: true, path: [] },
      { best: false, peer: "a" },
    ]);
    expect(own?.digest).toBe(theirs?.digest as string);
    await osaka.app.channel.delete({ name: "books" });
    await until(async () => (await ways(osaka, "channel:books")).length === 1);
    expect(await ways(osaka, "channel:books")).toMatchObject([{ best: true, peer: "a" }]);
  });

  test("there is one of a name, and what is not there cannot be deleted", async () => {
    const code = (call: Promise<unknown>) => call.then(String, (fault) => fault.code);
    await berlin.app.channel.create(books);
    expect(await code(berlin.app.channel.create(books))).toBe("CHANNEL_EXISTS");
    expect(await code(berlin.app.channel.delete({ name: "loans" }))).toBe("CHANNEL_UNKNOWN");
    const { name, ...row } = books;
    expect(await berlin.app.channel.list({})).toEqual([{ name, ...row, local: false }]);
  });

  test("a grant covers those that it names", async () => {
    const ada = await berlin.hub.scope({ principal: "ada", allow: ["channel.create:books*", "channel.list"] });
    await ada.channel.create(books);
    const refused = await ada.channel.create({ ...books, name: "loans" }).catch((fault) => fault);
    expect(refused).toMatchObject({ code: "REFUSED" });
  });
});

test("the configuration loads, with the plugin behind all others", async () => {
  const plugins = parseConfig(config).plugins as readonly AnyPlugin[];
  expect(plugins.map(({ name }) => name)).toEqual([...standard().map(({ name }) => name), "channels"]);
  await (await createOrchestrator({ plugins })).stop();
});

test("the README shows the files as they are", async () => {
  const text = (name: string) => Bun.file(join(import.meta.dir, name)).text();
  const readme = await text("README.md");
  for (const file of ["channels.ts", "capstan.config.ts"])
    expect(readme).toContain(`\`\`\`ts file=${file}\n${await text(file)}\`\`\`\n`);
});
