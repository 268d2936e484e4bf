// One round of one run, in a process that has done nothing else: what it measured goes to standard output as JSON. Frames are
// read from files that another process made, so that making them is in no figure.

import { heapStats } from "bun:jsc";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Rib } from "@capstan/peer";
import { cpuMicros } from "../kernel/machine.ts";
import { AT, framesFor, install, newRib } from "./peers.ts";
import { neighbour, PEERS, type PeerNumber, peerNode, ROUTES, ribPeer, type Shape } from "./tables.ts";

/** What a figure is of: how long it took, in which CPU, and by how much the process grew. */
export interface Measured {
  readonly ms: number;
  /** Microseconds. */
  readonly cpu: number;
}

export interface Grown {
  /** Bytes, after collecting garbage. */
  readonly resident: number;
  readonly heap: number;
}

export interface Installed {
  readonly install: Measured;
  readonly grown: Grown;
  readonly withdraw: Measured;
}

export interface Transferred {
  readonly dump: Measured;
  readonly install: Measured;
}

const [run = "", directory = ""] = process.argv.slice(2);

/** A file's lines, as texts that are made when they are asked for: what is held is bytes, and not among what is counted. */
class Frames {
  readonly #bytes: Buffer;

  constructor(name: string) {
    this.#bytes = readFileSync(join(directory, name));
  }

  *lines(most = Number.POSITIVE_INFINITY): Generator<string> {
    for (let from = 0; from < this.#bytes.length && from < most; ) {
      const to = this.#bytes.indexOf(10, from);
      yield this.#bytes.toString("utf8", from, to);
      from = to + 1;
    }
  }
}

function timed(work: () => void): Measured {
  const cpu = cpuMicros();
  const start = performance.now();
  work();
  return { ms: performance.now() - start, cpu: cpuMicros() - cpu };
}

/** What is there when nothing is left to collect, and what was freed has been given back. */
async function size(): Promise<Grown> {
  for (let i = 0; i < 4; i++) {
    Bun.gc(true);
    await Bun.sleep(250);
  }
  return { resident: process.memoryUsage.rss(), heap: heapStats().heapSize };
}

function expect(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${what}: ${actual}, not ${expected}`);
}

/**
 * Twice: first for what it takes of memory, all that the program itself takes on the way included, since nothing has run before;
 * then for the time, since by then what runs often is compiled.
 */
async function installed(shape: Shape, numbers: readonly PeerNumber[]): Promise<Installed> {
  // The farthest first: every peer's paths are better than those before, so that every one of them changes the best.
  const feeds = numbers
    .toReversed()
    .map((number) => ({ peer: ribPeer(number), frames: new Frames(`${shape}-${number}`) }));
  const load = (): Rib => {
    const peers = feeds.map(({ peer }) => peer);
    const rib = newRib("n-here", peers);
    let changes = 0;
    for (const { peer, frames } of feeds) changes += install(rib, peer, frames.lines());
    expect("best paths that changed", changes, numbers.length * ROUTES);
    return rib;
  };
  /** What Adj-RIB-Out then has is a part of what a table takes. */
  const tell = (rib: Rib): void => {
    for (const { peer } of feeds) for (const _ of framesFor(rib, peer.node));
  };
  /** Everybody's session is lost, the best paths' first. */
  const lose = (rib: Rib): Measured => {
    const alternatives = numbers.length > 1;
    let fallen = 0;
    const measured = timed(() => {
      rib.closePeer(peerNode(1), undefined, AT);
      for (const { now } of rib.takeChanges()) if ((now !== undefined) === alternatives) fallen++;
    });
    expect("best paths that fell over", fallen, ROUTES);
    for (const number of numbers) rib.closePeer(peerNode(number), undefined, AT);
    return measured;
  };

  const before = await size();
  let rib = load();
  tell(rib);
  const after = await size();
  lose(rib);
  Bun.gc(true);
  const timedInstall = timed(() => {
    rib = load();
  });
  tell(rib);
  Bun.gc(true);
  return {
    install: timedInstall,
    grown: { resident: after.resident - before.resident, heap: after.heap - before.heap },
    withdraw: lose(rib),
  };
}

/** A table goes to a peer that has just come: the sending half, and the receiving one. Once before it counts. */
function transferred(shape: Shape): Transferred {
  const from = ribPeer(1);
  const here = neighbour("n-here", "d-n-here");
  const there = neighbour("n-there", "d-n-there");
  const frames = new Frames(`${shape}-1`);
  const transfer = (): Transferred => {
    const sender = newRib("n-here", [from]);
    install(sender, from, frames.lines());
    Bun.gc(true);
    let sent: string[] = [];
    const dump = timed(() => {
      sender.openPeer(there, AT);
      sent = [...framesFor(sender, there.node)];
    });
    const receiver = newRib("n-there", [here]);
    let changes = 0;
    const received = timed(() => {
      changes = install(receiver, here, sent);
    });
    expect("best paths of the receiver", changes, ROUTES);
    return { dump, install: received };
  };
  transfer();
  return transfer();
}

/** One route at a time, into a table that is full, and out again to another peer. */
function live(): Measured {
  const from = ribPeer(1);
  const there = neighbour("n-there", "d-n-there");
  const rib = newRib("n-here", [from, there]);
  install(rib, from, new Frames("shared-1").lines());
  for (const _ of framesFor(rib, there.node));
  const frames = new Frames("live");
  const texts = [...frames.lines()];
  const warm = texts.length / 3;
  let told = 0;
  const pass = (some: readonly string[]): void => {
    for (const text of some) {
      install(rib, from, [text]);
      for (const _ of framesFor(rib, there.node)) told++;
    }
  };
  pass(texts.slice(0, warm));
  Bun.gc(true);
  told = 0;
  const measured = timed(() => pass(texts.slice(warm)));
  expect("updates that were told on", told, texts.length - warm);
  return measured;
}

async function answer(): Promise<unknown> {
  switch (run) {
    case "one":
      return installed("shared", [1]);
    case "four":
      return installed("shared", PEERS);
    case "distinct":
      return installed("distinct", [1]);
    case "fresh-peer":
      return transferred("shared");
    case "fresh-peer/distinct":
      return transferred("distinct");
    case "live":
      return live();
    default:
      throw new Error(`there is no run "${run}"`);
  }
}

process.stdout.write(JSON.stringify(await answer()));
