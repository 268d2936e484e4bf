// A perform over three links, each node its own domain, counted where it crosses: one round trip of the caller, and one of each link.

import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@capstan/orchestrator/client";
import type { StandardMessages } from "../../standard.ts";
import { type PeerNode, peered, startNode, until } from "../peers.fixture.ts";
import { WireProxy } from "../wire-proxy.fixture.ts";

const ended: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** What crosses of the calls that perform: each frame that is one, or names one. */
class Counted {
  readonly proxy: WireProxy;
  /** `> push`: from who asks; `< resolve`: back. */
  readonly crossed: string[] = [];
  readonly #pushes = { asking: 0, asked: 0 };
  readonly #performs = new Set<number>();

  /** @param calledBack who asks is the one that was dialled */
  constructor(to: string, calledBack = false) {
    this.proxy = new WireProxy(to);
    ended.push(() => this.proxy[Symbol.dispose]());
    this.proxy.passing = (text, back) => {
      this.#count(JSON.parse(text), back !== calledBack);
      return [text];
    };
  }

  #count([type, second]: [string, unknown], answers: boolean): void {
    if (type === "push") {
      const id = ++this.#pushes[answers ? "asked" : "asking"];
      if (answers || !JSON.stringify(second).includes('"perform"')) return;
      this.#performs.add(id);
    } else {
      // The asked side's answers name what was asked of it; all else names what its sender asked, or was answered.
      const of = second as number;
      const isOurs = type === "resolve" || type === "reject" ? answers : !answers;
      if (!isOurs || !this.#performs.has(of)) return;
    }
    this.crossed.push(`${answers ? "<" : ">"} ${type}`);
  }
}

const ONE_ROUND_TRIP = ["> push", "> pull", "< resolve", "> release"];

test("three hops are one round trip of the caller and one of each link, whoever dialled", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hops-"));
  ended.push(() => rmSync(directory, { recursive: true, force: true }));
  const nodes: PeerNode[] = [];
  for (const id of ["a", "b", "c", "d"]) {
    const node = await startNode({ id: `n-${id}`, ...(id === "a" ? { directory } : {}) });
    ended.push(() => node.server.stop());
    nodes.push(node);
  }
  const [a, b, c, d] = nodes as [PeerNode, PeerNode, PeerNode, PeerNode];
  await d.app.action.register({ name: "greet", protocol: "echo" });
  const links = [new Counted(b.url), new Counted(b.url, true), new Counted(d.url)] as const;
  await peered(a, { ...b, url: links[0].proxy.url });
  // C dials B: what B asks of C it asks over a callback.
  await peered(c, { ...b, url: links[1].proxy.url });
  await peered(c, { ...d, url: links[2].proxy.url });
  const caller = new Counted(a.url);
  const as = { connectionFromCli: readFileSync(join(directory, "admin.token"), "utf8").trim() };
  const { scope, close } = connect<StandardMessages>({ url: caller.proxy.url, as });
  ended.push(close);
  await until(async () => (await a.app.action.list()).items.some(({ name }) => name === "greet"));

  const answer = await scope.action.perform({ name: "greet", input: { to: "Yuki" } });
  expect(answer).toMatchObject({ output: { to: "Yuki" }, via: b.id });
  await until(() => [caller, ...links].every(({ crossed }) => crossed.length === ONE_ROUND_TRIP.length));
  expect([caller, ...links].map(({ crossed }) => crossed)).toEqual(Array(4).fill(ONE_ROUND_TRIP));
  // And one message of each node's own pipeline, under the grant that its neighbour has there.
  const performs = nodes.map(({ messages }) => messages.filter((one) => one.endsWith("action.perform")).length);
  expect(performs).toEqual([1, 1, 1, 1]);
});
