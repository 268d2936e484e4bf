// What `describe` and `show` say of an action, an execution and a dead letter, to people; --json has all of it.

import { afterAll, beforeEach, expect, test } from "bun:test";
import { evil } from "../remote/hostile-server.fixture.ts";
import { askedNode } from "./asked-node.fixture.ts";

const node = askedNode();
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(() => node.forget());

const AT = Date.UTC(2026, 10, 21, 14, 3);
const object = (properties: object) => ({ type: "object", properties, required: Object.keys(properties) });
const greet = {
  ...{ name: "greet", input: object({ name: { type: "string" } }), output: object({ text: { type: "string" } }) },
  ...{ idempotent: true, readOnly: false, publishes: { topic: "action.greet" } },
};
const here = {
  ...{ ...greet, revision: 2, protocol: "module", configuration: { module: "./greet.ts" }, may: [], timeout: 30_000 },
  ...{ attempts: 1, registrant: { principal: "admin", grant: "g-1" }, at: AT },
};
const failed = { code: "ACTION_FAILED", message: "mail: the server is away" };

test("an action: what it takes, gives and publishes, and who has it done how; or whom it is reached by", async () => {
  node.answers({ "action.describe": () => here });
  expect((await node.capstan(["action", "describe", "greet"])).out.split("\n")).toEqual([
    'action     greet@2  module {module: "./greet.ts"}',
    "takes      {name: string}",
    "gives      {text: string}",
    "publishes  action.greet",
    "is         idempotent",
    "may        nothing",
    "tried      1 time, each for 30000 ms at most",
    "by         admin under g-1, 2026-11-21T14:03:00Z",
    "",
  ]);
  const elsewhere = { peer: "berlin", path: ["n-7f3a"], origin: "n-7f3a" };
  node.answers({ "action.describe": () => ({ ...greet, revision: 0, protocol: "peer-propagation", elsewhere }) });
  const { out } = await node.capstan(["action", "describe", "greet"]);
  expect(out).toStartWith("action     greet  via berlin, of n-7f3a\n");
  expect(out).not.toContain("undefined");
});

test("an execution: how it stands, its entries, and what came of it, whole", async () => {
  const row = { id: "x-1", action: "mail", principal: "ada", at: AT, message: "m-1" };
  const answer = { ...row, state: "done", entries: [7, 8], output: { text: "Hello, Ada".repeat(40) } };
  node.answers({ "execution.show": () => answer });
  expect((await node.capstan(["execution", "show", "x-0123456789ABCDEF"])).out.split("\n")).toEqual([
    "execution  x-1  mail  done",
    "by         ada, 2026-11-21T14:03:00Z   m-1",
    "entries    7–8",
    `output     ${JSON.stringify(answer.output)}`,
    "",
  ]);
  node.answers({ "execution.show": () => ({ ...row, state: "failed", attempt: 2, entries: [7], error: failed }) });
  const { out } = await node.capstan(["execution", "show", "x-0123456789ABCDEF"]);
  expect(out).toContain("mail  failed, attempt 2\n");
  expect(out).toEndWith("error      ACTION_FAILED  mail: the server is away\n");
  node.answers({ "execution.show": () => ({ ...row, state: "failed", entries: [7], error: failed, untold: ["n-b"] }) });
  const { out: cancelled } = await node.capstan(["execution", "show", "x-0123456789ABCDEF"]);
  expect(cancelled).toEndWith("to tell    n-b: when there is a session again\n");
});

test("a dead letter: what failed and why, and what became of it", async () => {
  const letter = {
    ...{ id: "d-1", kind: "delivery", about: "s-1/24", name: "mail", attempts: 2, state: "open", at: AT, alert: 27 },
    ...{ error: failed, principal: "ada", grant: "g-2", entries: [26] },
  };
  node.answers({ "deadLetter.show": () => letter });
  expect((await node.capstan(["deadLetter", "show", "d-0123456789ABCDEF"])).out.split("\n")).toEqual([
    "letter  d-1  open",
    "of      delivery s-1/24  mail",
    "why     ACTION_FAILED  mail: the server is away",
    "tried   2 times, the last 2026-11-21T14:03:00Z",
    "by      ada under g-2",
    "alert   entry 27",
    "",
  ]);
  const end = { discarded: "twice is enough" };
  node.answers({ "deadLetter.show": () => ({ ...letter, state: "discarded", end }) });
  const { out } = await node.capstan(["deadLetter", "show", "d-0123456789ABCDEF"]);
  expect(out).toStartWith("letter  d-1  discarded   twice is enough\n");
});

test("what a server makes of them stays in its line", async () => {
  for (const answer of [evil({ ...here, ...failed, entries: [1] }), {}]) {
    node.answers({ "action.describe": () => answer, "execution.show": () => answer, "deadLetter.show": () => answer });
    for (const words of [
      "action describe greet",
      "execution show x-0123456789ABCDEF",
      "deadLetter show d-0123456789ABCDEF",
    ]) {
      const { out } = await node.capstan(words.split(" "));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
      expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/);
    }
  }
});
