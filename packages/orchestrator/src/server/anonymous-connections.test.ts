import { expect, test } from "bun:test";
import { AnonymousConnections } from "./anonymous-connections.ts";

function sockets() {
  const time = { now: 0 };
  const ended: string[] = [];
  const anonymous = new AnonymousConnections<{ terminate(): void }>(() => time.now);
  const open = (name: string, authenticated = false) => {
    const socket = { terminate: () => void ended.push(name) };
    const budget = { authenticated };
    anonymous.opened(socket, budget);
    return { socket, budget };
  };
  return { time, ended, anonymous, open };
}

test("of those that stay nobody's the oldest make room for those that come", () => {
  const { time, ended, anonymous, open } = sockets();
  for (let i = 0; i < 16; i++) open(`a${i}`);
  time.now = 10_000;
  expect(ended).toEqual([]);
  open("b");
  open("c");
  expect([ended, anonymous.size]).toEqual([["a0", "a1"], 16]);
});

test("many that come at once all have the time to say who they are, and then count no more", () => {
  const { time, ended, anonymous, open } = sockets();
  const crowd = Array.from({ length: 1000 }, (_, i) => open(`${i}`));
  expect(ended).toEqual([]);
  for (const { budget } of crowd) budget.authenticated = true;
  time.now = 10_000;
  open("late");
  expect([ended, anonymous.size]).toEqual([[], 1]);
});

test("one that is closed makes room by itself", () => {
  const { time, ended, anonymous, open } = sockets();
  const [first] = Array.from({ length: 16 }, (_, i) => open(`${i}`));
  time.now = 10_000;
  anonymous.closed((first as ReturnType<typeof open>).socket);
  open("next");
  expect([ended, anonymous.size]).toEqual([[], 16]);
});
