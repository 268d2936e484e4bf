import { beforeEach, describe, expect, test } from "bun:test";
import type { SpeakerInput } from "../speaker/speaker-input.ts";
import { VirtualClock } from "./clock.ts";
import { Link, QUIET } from "./link.ts";
import { type Host, Network } from "./network.ts";
import { Random } from "./random.ts";

class Ear implements Host {
  presence: Host["presence"] = "running";
  life = 1;
  readonly heard: string[] = [];

  constructor(
    readonly id: string,
    readonly clock: VirtualClock,
  ) {}

  input(input: SpeakerInput): void {
    const { type } = input;
    const detail = type === "received-text" || type === "lost" || type === "dial-failed" ? `: ${input.text}` : "";
    this.heard.push(`${this.clock.now} ${type}${detail}`);
  }
}

let clock: VirtualClock;
let network: Network;
let link: Link;
let a: Ear;
let b: Ear;

beforeEach(() => {
  clock = new VirtualClock();
  network = new Network(clock, () => undefined);
  link = new Link(10, 0, new Random(1));
  a = new Ear("a", clock);
  b = new Ear("b", clock);
  network.addHost(a);
  network.addHost(b);
  network.addLink("a", "b", link);
});

/** The acceptor's name for it is the network's. */
const connect = (): void => {
  network.dial(a, "out", "b");
  clock.runUntil(clock.now + 20);
  a.heard.length = 0;
  b.heard.length = 0;
};

describe("a connection", () => {
  test("is accepted after one delay and there after two", () => {
    network.dial(a, "out", "b");
    clock.runUntil(100);
    expect(b.heard).toEqual(["10 accepted"]);
    expect(a.heard).toEqual(["20 connected"]);
  });

  test("carries frames in order, and its close after them", () => {
    connect();
    for (const text of ["1", "2", "3"]) network.send(a, "out", text);
    network.disconnect(a, "out");
    clock.runUntil(100);
    expect(b.heard).toEqual([
      "30 received-text: 1",
      "30 received-text: 2",
      "30 received-text: 3",
      "30 lost: closed by the other side",
    ]);
    expect(a.heard).toEqual([]);
  });

  test("to a machine on which nobody listens is refused, and to one that is gone is not answered", () => {
    b.presence = "gone";
    network.dial(a, "one", "b");
    clock.runUntil(100);
    expect(a.heard).toEqual(["20 dial-failed: nobody is there"]);
    b.presence = "dark";
    network.dial(a, "two", "b");
    clock.runUntil(1000);
    expect(a.heard).toHaveLength(1);
  });

  test("of a process that ends is reset, or heard of no more", () => {
    connect();
    network.drop(b, false);
    clock.runUntil(100);
    expect(a.heard).toEqual(["30 lost: reset by the other side"]);
    a.heard.length = 0;
    network.dial(a, "again", "b");
    clock.runUntil(200);
    network.drop(b, true);
    clock.runUntil(1000);
    expect(a.heard).toEqual(["120 connected"]);
  });

  test("whose other end is another process by now is reset by the first frame", () => {
    connect();
    network.drop(b, true);
    b.life++;
    network.send(a, "out", "hello");
    clock.runUntil(100);
    expect(b.heard).toEqual([]);
    expect(a.heard).toEqual(["40 lost: reset by the other side"]);
  });
});

describe("a cut", () => {
  test("that drops tells nobody, and one that resets tells both", () => {
    connect();
    network.cut("a", "b", "x", "drop");
    network.send(a, "out", "gone");
    clock.runUntil(100);
    expect([...a.heard, ...b.heard]).toEqual([]);
    link.heal("x");
    network.send(a, "out", "here");
    clock.runUntil(200);
    expect(b.heard).toEqual(["110 received-text: here"]);
    network.cut("a", "b", "y", "reset");
    clock.runUntil(300);
    expect(a.heard).toEqual(["201 lost: reset"]);
    expect(b.heard.at(-1)).toBe("201 lost: reset");
  });

  test("ends when the last reason for it does", () => {
    network.cut("a", "b", "x", "drop");
    network.cut("a", "b", "y", "reset");
    expect(link.state).toBe("drop");
    link.heal("x");
    expect(link.state).toBe("reset");
    link.heal("y");
    expect(link.state).toBeUndefined();
  });
});

describe("noise", () => {
  const heardOf = (noise: Link["noise"]): string[] => {
    connect();
    link.noise = noise;
    for (let at = 0; at < 200; at++) network.send(a, "out", String(at));
    link.noise = QUIET;
    clock.runUntil(1000);
    return b.heard.map((line) => line.split(": ")[1] ?? "");
  };
  const all = Array.from({ length: 200 }, (_, at) => String(at));

  test("loses some", () => {
    const heard = heardOf({ loss: 0.1, reorder: 0, duplicate: 0 });
    expect(heard.length).toBeLessThan(200);
    expect(heard).toEqual(all.filter((text) => heard.includes(text)));
  });

  test("doubles some", () => {
    const heard = heardOf({ loss: 0, reorder: 0, duplicate: 0.1 });
    expect(heard.length).toBeGreaterThan(200);
    expect(new Set(heard).size).toBe(200);
  });

  test("reorders some", () => {
    const heard = heardOf({ loss: 0, reorder: 0.1, duplicate: 0 });
    expect(heard).not.toEqual(all);
    expect(heard.toSorted((x, y) => Number(x) - Number(y))).toEqual(all);
  });

  test("is not there in quiet", () => {
    expect(heardOf(QUIET)).toEqual(all);
  });
});
