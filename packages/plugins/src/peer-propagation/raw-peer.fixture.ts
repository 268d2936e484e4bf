// A peer that is no node of ours: a speaker on a client's session, whose callback and scope are the test's to misuse.

import { systemTimers } from "@capstan/orchestrator";
import { openSession } from "@capstan/orchestrator/client";
import {
  defaultLimits,
  defaultTiming,
  type Message,
  type PeerConfig,
  Speaker,
  type SpeakerEffect,
  type SpeakerInput,
  signWith,
  verifySignature,
} from "@capstan/peer";
import { DialledLink } from "./links/dial.ts";
import { heardAs } from "./links/frames.ts";
import { allOut, everything } from "./peers.fixture.ts";

export interface RawOptions {
  readonly id: string;
  readonly url: string;
  /** The node that it peers with. */
  readonly node: string;
  readonly key: string;
  readonly secret: Uint8Array;
  /** Default: its own; somebody else's key may stand there, with a signature that is not of it. */
  readonly identity?: ReturnType<typeof rawIdentity>;
  /** Default: 1. */
  readonly epoch?: number;
  /** What it says in the place of what its speaker would; default: the same. */
  readonly says?: (message: Message) => Message;
  /** What it does when it is told something; default: takes it. */
  readonly told?: (call: { resource: string; action: string; data: unknown }) => unknown;
}

export function rawIdentity(id: string) {
  return signWith(Buffer.alloc(32, `raw ${id}`));
}

let nonces = 0;

export class RawPeer {
  readonly id: string;
  readonly speaker: Speaker;
  readonly heard: string[] = [];
  readonly events: string[] = [];
  link: DialledLink | undefined;
  readonly #options: RawOptions;
  #session: ReturnType<typeof openSession> | undefined;

  constructor(options: RawOptions) {
    this.#options = options;
    this.id = options.id;
    const { id, node, key, secret } = options;
    const { publicKey, sign } = options.identity ?? rawIdentity(id);
    this.speaker = new Speaker(
      {
        ...{
          node: id,
          name: id,
          domain: id,
          key: publicKey,
          sign,
          verify: verifySignature,
          epoch: options.epoch ?? 1,
          restarting: false,
        },
        ...{ chunkSize: 256, updateRoutes: 1024, owners: [], random: Math.random },
        timing: { ...defaultTiming, advertisementInterval: 0 },
        nonce: () => Buffer.alloc(32, `${id} ${++nonces} nonce`).toString("base64url"),
      },
      this.#at(),
    );
    const peer: PeerConfig = {
      ...{ node, keys: [key], secrets: [secret], domain: undefined, address: options.url, required: [] },
      ...{ import: everything, export: allOut, limits: defaultLimits },
    };
    this.tell({ type: "configure-peer", peer });
  }

  tell(input: SpeakerInput): void {
    for (const effect of this.speaker.handle(input, this.#at())) this.#carryOut(effect);
  }

  close(): void {
    this.#session?.close();
  }

  #carryOut(effect: SpeakerEffect): void {
    switch (effect.type) {
      case "dial": {
        const { connection } = effect;
        const session = openSession({ url: this.#options.url });
        this.#session = session;
        this.link = new DialledLink({
          ...{ connection, timers: systemTimers, patience: 10_000, session },
          received: (value) => this.tell({ type: "received", connection, value }),
          lost: (text) => {
            this.events.push(`lost: ${text}`);
            this.tell({ type: "lost", connection, text });
          },
          asked: async (call) => {
            const said = call as { resource: string; action: string; data: { frame?: unknown } };
            this.heard.push(`${said.resource}.${said.action}`);
            if (this.#options.told !== undefined) return this.#options.told(said);
            this.tell(heardAs(connection, said.data.frame));
          },
        });
        queueMicrotask(() => this.tell({ type: "connected", connection }));
        break;
      }
      case "send":
        this.link?.send(this.#options.says?.(effect.message) ?? effect.message);
        break;
      case "disconnect":
        this.link?.end();
        break;
      case "event":
        this.events.push(effect.event.kind);
        break;
      case "routes":
        break;
      default:
        effect satisfies never;
    }
  }

  #at() {
    return { now: performance.now(), wall: Math.floor(Date.now() / 1000) };
  }
}
