// How a neighbour is asked what became of a message: as deep, as long and as often as may be.

import { expect, test } from "bun:test";
import { AskPeer, type Wanting } from "./ask-peer.ts";

const asked = { node: "n-b", key: "m-1" };
const wanting: Wanting = { principal: "peer.a", via: ["n-a"], hops: 1, texts: true, patience: 1000 };

function asking(call: (message: object, options: object) => Promise<unknown>, time = { now: 0 }) {
  const timers = { after: () => () => {} };
  return new AskPeer({
    ...{ timers: timers as never, now: () => time.now, nameOf: () => "b" },
    peers: { neighbour: () => ({ name: "b", ended: false, call: call as never }) },
  });
}

test("the next one has four fifths of the time, one hop more, and is told what it came through", async () => {
  const calls: unknown[] = [];
  const ask = asking(async (...call) => {
    calls.push(call);
    return { disclosed: "nothing" };
  });
  expect(await ask.ask({ ...asked, id: "m-7" }, wanting)).toEqual({
    ...{ name: "b", node: "n-b", said: { disclosed: "nothing" } },
  });
  expect(calls).toEqual([
    [
      { resource: "peer", action: "explain", data: { id: "m-7", patience: 800 } },
      { via: ["n-a"], hops: 2 },
    ],
  ]);
});

test("it goes no deeper than anything may, in no circle, and not on when the time is up", async () => {
  const ask = asking(() => Promise.reject(new Error("not to be asked")));
  for (const change of [{ hops: 16 }, { patience: 10 }, { via: ["n-a", "n-b"] }])
    expect((await ask.ask(asked, { ...wanting, ...change })).silent).toMatch(/too deep|circle/);
});

test("one who asks has few questions open, and few a second; another one's are their own", async () => {
  const time = { now: 0 };
  let open = 0;
  const hanging = asking(() => {
    open++;
    return new Promise(() => {});
  }, time);
  for (let i = 0; i < 20; i++) void hanging.ask(asked, wanting);
  expect(open).toBe(8);
  expect((await hanging.ask(asked, wanting)).silent).toContain("ask again later");
  void hanging.ask(asked, { ...wanting, principal: "peer.c" });
  expect(open).toBe(9);
  // Nor does one that hangs keep anybody from asking another.
  void hanging.ask({ ...asked, node: "n-d" }, wanting);
  expect(open).toBe(10);

  const prompt = asking(async () => ({ disclosed: "nothing" }), time);
  let said = 0;
  const ask = async () => {
    if ((await prompt.ask(asked, wanting)).said !== undefined) said++;
  };
  for (let i = 0; i < 100; i++) await ask();
  expect(said).toBe(20);
  time.now += 1000;
  await ask();
  expect(said).toBe(21);
});

test("why it does not tell is told in words to whoever may read them, and else by its code", async () => {
  const refuses = asking(async () => {
    throw Object.assign(new Error("g-3 allows action.perform:secret"), { code: "REFUSED" });
  });
  expect((await refuses.ask(asked, wanting)).silent).toBe("REFUSED: g-3 allows action.perform:secret");
  expect((await refuses.ask(asked, { ...wanting, texts: false })).silent).toBe("REFUSED");
  const lost = asking(() => Promise.reject(new Error("10.0.0.7 closed the connection")));
  expect((await lost.ask(asked, wanting)).silent).toBe("10.0.0.7 closed the connection");
  expect((await lost.ask(asked, { ...wanting, texts: false })).silent).toBe("it did not answer");
});
