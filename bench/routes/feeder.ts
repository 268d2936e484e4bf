// A peer of the benchmark's own: it has a table from elsewhere, of fifty origins that sign it as nodes do, in chunks, and tells it over a
// session that a speaker of ours makes. What nobody has is a node with 50,000 routes of others, each by a way of its own.

import { openSession } from "@capstan/orchestrator/client";
import {
  type Announcement,
  defaultLimits,
  defaultTiming,
  encodeFrame,
  type Message,
  Speaker,
  type SpeakerInput,
  signChunks,
  signWith,
  verifySignature,
} from "@capstan/peer";
import { digestOf, keyOf, routeOf } from "./offers.ts";

export const FEEDER = "n-feeder";
const ORIGIN_ROUTES = 1000;
const ROUTES_AN_UPDATE = 1024;
const LIFETIME = 86_400;

const seed = (text: string): Uint8Array => Buffer.alloc(32, `${text} `);
const { publicKey, sign } = signWith(seed(FEEDER));
export const FEEDER_KEY = publicKey;

/**
 * `count` routes from `from` on: a thousand of an origin, signed by it together, and each with a transit domain in its path and a tag that
 * no other has.
 */
export function* distinctUpdates(from: number, count: number): Generator<Announcement[]> {
  let announce: Announcement[] = [];
  let routes = 0;
  for (let first = from; first < from + count; first += ORIGIN_ROUTES) {
    const origin = `n-origin-${first / ORIGIN_ROUTES}`;
    const domain = `d-origin-${first / ORIGIN_ROUTES}`;
    const identity = signWith(seed(origin));
    const numbers = new Map<string, number>();
    for (let n = first; n < Math.min(first + ORIGIN_ROUTES, from + count); n++) numbers.set(routeOf(keyOf(n)), n);
    const who = { node: origin, domain, key: identity.publicKey, epoch: 7, expires: seconds() + LIFETIME };
    const leaves = [...numbers].map(([name, n]) => [name, digestOf(keyOf(n))] as const);
    for (const { claim, leaves: told } of signChunks(leaves, who, identity.sign)) {
      const own = told.map(([name]) => {
        const n = numbers.get(String(name)) as number;
        return { path: `${FEEDER} d-transit-${n} ${domain}`, tags: `lane-${n}` };
      });
      const [shared, ...others] = own as [(typeof own)[0], ...typeof own];
      if (routes + told.length > ROUTES_AN_UPDATE) {
        yield announce;
        [announce, routes] = [[], 0];
      }
      const apart = {
        at: others.map((_, i) => i + 1),
        path: others.map(({ path }) => path),
        tags: others.map(({ tags }) => tags),
      };
      announce.push({ ...shared, apart, origin: claim, leaves: [...told] as Announcement["leaves"] });
      routes += told.length;
    }
  }
  if (announce.length > 0) yield announce;
}

const seconds = (): number => Math.floor(Date.now() / 1000);

interface Fed {
  readonly url: string;
  readonly node: string;
  readonly key: string;
  readonly secret: Uint8Array;
}

type Ask = (call: { resource: string; action: string; data: unknown }) => Promise<unknown>;

/** A session that is established, over which updates can be said. */
export class Feeder {
  readonly #speaker: Speaker;
  readonly #session: ReturnType<typeof openSession>;
  readonly #established = Promise.withResolvers<void>();
  #ask: Ask | undefined;
  #theirs = "";
  #connection = "";
  /** From when it is established on, messages are numbered here: they are the speaker's and ours. */
  #seq: number | undefined;
  #taken: Promise<unknown> = Promise.resolve();

  private constructor({ url, node, key, secret }: Fed) {
    this.#session = openSession({ url });
    const everything = { clauses: [{ name: "everything", then: "accept" as const, unowned: true }] };
    this.#speaker = new Speaker(
      {
        ...{ node: FEEDER, name: FEEDER, domain: FEEDER, key: publicKey, sign, verify: verifySignature, epoch: 1 },
        ...{ restarting: false, chunkSize: 256, updateRoutes: ROUTES_AN_UPDATE, owners: [], timing: defaultTiming },
        random: Math.random,
        nonce: () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url"),
      },
      this.#at(),
    );
    this.#tell({
      type: "configure-peer",
      peer: {
        ...{
          node,
          keys: [key],
          secrets: [secret],
          domain: undefined,
          address: url,
          required: [],
          limits: defaultLimits,
        },
        ...{ import: everything, export: { clauses: [] } },
      },
    });
  }

  static async open(to: Fed): Promise<Feeder> {
    const feeder = new Feeder(to);
    await feeder.#established.promise;
    return feeder;
  }

  /** Resolves once it was taken. */
  async update(announce: Announcement[]): Promise<void> {
    this.#say({ type: "update", seq: 0, withdraw: [], announce });
    await this.#taken;
  }

  close(): void {
    this.#session.close();
  }

  #tell(input: SpeakerInput): void {
    for (const effect of this.#speaker.handle(input, this.#at())) {
      if (effect.type === "dial") {
        this.#connection = effect.connection;
        queueMicrotask(() => this.#tell({ type: "connected", connection: effect.connection }));
      } else if (effect.type === "send") {
        this.#send(effect.message);
      } else if (effect.type === "event" && effect.event.kind === "established") {
        this.#seq = 2; // behind the open and the proof
        this.#established.resolve();
      }
    }
  }

  #send(message: Message): void {
    const { api } = this.#session as unknown as { readonly api: Record<string, (input: unknown) => unknown> };
    const heard = (value: unknown): void =>
      this.#tell(
        typeof value === "string"
          ? { type: "received-text", connection: this.#connection, text: value }
          : { type: "received", connection: this.#connection, value },
      );
    if (message.type === "open") {
      const offer = api.challenge?.({ connection: "connectionFromIBGPPeer", hello: message }) as Promise<unknown>;
      void offer.then((value) => {
        const { session, frame } = value as { readonly session: string; readonly frame: unknown };
        this.#theirs = session;
        heard(frame);
      });
    } else if (message.type === "proof") {
      const scope = api.connectionFromIBGPPeer?.(message) as unknown as { applyAction: Ask };
      const opened = Promise.withResolvers<void>();
      // Frames may come before the answer that they come behind.
      const callback = async (call: { readonly data: { readonly frame: unknown } }) => {
        await opened.promise;
        heard(call.data.frame);
      };
      const open = { resource: "peer", action: "open", data: { session: this.#theirs, callback } };
      void scope.applyAction(open).then((value) => {
        this.#ask = (call) => scope.applyAction(call);
        heard((value as { readonly proof: unknown }).proof);
        opened.resolve();
      });
    } else {
      this.#say(message);
    }
  }

  #say(message: Message): void {
    const numbered = { ...message, seq: this.#seq as number };
    this.#seq = numbered.seq + 1;
    const frame = message.type === "update" ? encodeFrame(numbered) : numbered;
    const action = { update: "update", "end-of-table": "endOfTable", keepalive: "keepalive" }[message.type as "update"];
    this.#taken = (this.#ask as Ask)({ resource: "peer", action, data: { session: this.#theirs, frame } });
  }

  #at() {
    return { now: performance.now(), wall: seconds() };
  }
}
