import { expect, test } from "bun:test";
import { Room } from "./room.ts";

const { signal } = new AbortController();
const isIn = async (entered: Promise<void> | undefined) =>
  entered === undefined || Promise.race([entered.then(() => true), new Promise((resolve) => setImmediate(resolve))]);

test("who was cancelled before it comes to the line does not wait in it", () => {
  const room = new Room({ calls: 1, characters: 9 });
  room.enter(1, signal);
  const reason = new Error("cancelled");
  expect(() => room.enter(1, AbortSignal.abort(reason))).toThrow(reason);
  room.leave(1);
  expect(room.isEmpty).toBe(true);
});

test("once it is over nobody waits, however many were in it", async () => {
  const room = new Room({ calls: 1, characters: 9 });
  room.enter(1, signal);
  const waiting = room.enter(1, signal);
  room.end();
  expect(await isIn(waiting)).toBe(true);
  for (let nth = 0; nth < 3; nth++) expect(room.enter(1, signal)).toBeUndefined();
  room.leave(1);
});

test("peers whose calls never end have half of it each, three quarters together, and the rest is this node's own", async () => {
  const room = new Room({ calls: 8, characters: 99 });
  const enters = ["p", "p", "p", "p", "p", "q", "q", "q", "r"].map((from) => isIn(room.enter(1, signal, from)));
  const entered = (await Promise.all(enters)).map((one) => one === true);
  expect(entered).toEqual([true, true, true, true, false, true, true, false, false]);
  expect([room.enter(1, signal), room.enter(1, signal)]).toEqual([undefined, undefined]);
});

test("whoever was let in last waits longest, and who leaves the line leaves nothing behind", async () => {
  const room = new Room({ calls: 4, characters: 99 });
  for (const from of ["n-p", "n-q", "n-r"]) room.enter(1, signal, from);
  const came: string[] = [];
  const waits = (from: string, how = signal) =>
    room.enter(1, how, from)?.then(
      () => void came.push(from),
      () => {},
    );
  const controller = new AbortController();
  const gone = waits("n-t", controller.signal);
  for (const from of ["n-p", "n-p", "n-s"]) void waits(from);
  controller.abort();
  await gone;
  for (const from of ["n-p", "n-p", "n-s", "n-q", "n-r", "n-p"]) {
    room.leave(1, from);
    await isIn(Promise.resolve());
  }
  expect(came).toEqual(["n-p", "n-s", "n-p"]);
  expect(room.isEmpty).toBe(true);
});
