// A peer that lies: a real speaker with valid sessions over WebSockets, whose every frame goes out through the simulator's liar. What it
// knows of the door is what the wire's page says; it uses nothing of the node's own peering.

import { openSession } from "@capstan/orchestrator/client";
import {
  defaultLimits,
  defaultTiming,
  type Message,
  type PeerConfig,
  Speaker,
  type SpeakerEffect,
  type SpeakerInput,
  type SpeakerTiming,
  signWith,
  verifySignature,
} from "@capstan/peer";
import { Liar, type LieKind, type Means, Random } from "@capstan/peer/simulator";

const VERBS: Readonly<Record<string, string>> = {
  "end-of-table": "endOfTable",
  "route-refresh": "refresh",
  notification: "notify",
};

interface Scope {
  applyAction(call: object): Promise<unknown>;
}

interface Connection {
  readonly peer: string;
  readonly session: ReturnType<typeof openSession>;
  /** What the other side calls it. */
  theirs: string;
  scope: Scope | undefined;
}

export interface LiarOptions {
  readonly id: string;
  readonly seed: number;
  readonly timing: Partial<SpeakerTiming>;
  readonly now: () => number;
  readonly neighbours: readonly {
    readonly id: string;
    readonly url: string;
    readonly key: string;
    readonly secret: Uint8Array;
  }[];
}

/** Whom it is told of what it said. */
export interface Told {
  readonly to: string;
  readonly text: string;
}

export class LiarPeer {
  readonly id: string;
  readonly key: string;
  readonly liar: Liar;
  readonly speaker: Speaker;
  readonly events: string[] = [];
  /** Changes an `open` on its way, behind the back of its speaker, which proves another. */
  disguise: ((open: Record<string, unknown>, to: string) => Record<string, unknown>) | undefined;
  readonly #opens = new Map<string, unknown>();
  readonly #proofs = new Map<string, unknown>();
  readonly #options: LiarOptions;
  readonly #random: Random;
  readonly #sign: Means["sign"];
  readonly #connections = new Map<string, Connection>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: LiarOptions) {
    const { id, seed, timing, neighbours } = options;
    this.#options = options;
    this.id = id;
    this.#random = new Random(seed, "liar");
    // Each honest node is a domain of its own, called by its id.
    this.liar = new Liar(this.#random, (node) => node);
    const { publicKey, sign } = signWith(Buffer.from(this.#random.bytes(32)));
    this.key = publicKey;
    this.#sign = sign;
    this.speaker = new Speaker(
      {
        ...{
          node: id,
          name: id,
          domain: id,
          key: publicKey,
          sign,
          verify: verifySignature,
          epoch: 1,
          restarting: false,
        },
        ...{ chunkSize: 256, updateRoutes: 1024, owners: [], random: this.#random.float },
        timing: { ...defaultTiming, ...timing },
        nonce: () => Buffer.from(this.#random.bytes(32)).toString("base64url"),
      },
      this.#at(),
    );
    for (const { id: node, url, key, secret } of neighbours) {
      const everything = { clauses: [{ name: "everything", then: "accept" as const, unowned: true }] };
      const peer: PeerConfig = {
        ...{ node, keys: [key], secrets: [secret], domain: undefined, address: url, required: [] },
        ...{ import: everything, export: { clauses: [{ name: "everything", then: "accept" }] }, limits: defaultLimits },
      };
      this.tell({ type: "configure-peer", peer });
    }
  }

  tell(input: SpeakerInput): void {
    if (this.#closed) return;
    for (const effect of this.speaker.handle(this.liar.hears(input), this.#at())) this.#carryOut(effect);
    clearTimeout(this.#timer);
    const deadline = this.speaker.deadline();
    if (deadline === undefined) return;
    this.#timer = setTimeout(() => this.tell({ type: "tick" }), Math.max(1, deadline - performance.now()));
  }

  /** Neighbours that it has a session with. */
  established(): string[] {
    return this.#options.neighbours.flatMap(({ id }) => (this.speaker.session(id) === undefined ? [] : [id]));
  }

  lie(...kinds: LieKind[]): Told[] {
    const wall = this.#at().wall;
    const means: Means = {
      ...{ node: this.id, domain: this.id, key: this.key, sign: this.#sign, epoch: 1, wall },
      ...{ lifetime: 3600, random: this.#random },
    };
    const peers = this.#options.neighbours.map(({ id }) => id);
    return this.#say(this.liar.lie(kinds, peers, means));
  }

  /** An update of its own to all, with its number in the line. */
  announce(withdraw: string[]): Told[] {
    const update: Message = { type: "update", seq: 0, withdraw, announce: [] };
    const live = [...this.#connections].filter(([, { scope }]) => scope !== undefined);
    return this.#say(live.map(([connection]) => [connection, this.liar.tells(connection, update)]));
  }

  /** The handshake that let it in, once more, byte by byte. Answers how it was refused. */
  async replay(neighbour: string): Promise<string> {
    const { url } = this.#options.neighbours.find(({ id }) => id === neighbour) as LiarOptions["neighbours"][number];
    const { api, close } = openSession({ url });
    try {
      const hello = this.#opens.get(neighbour);
      const asked = { connection: "connectionFromIBGPPeer", hello };
      const { session } = (await (api.challenge as (asked: object) => Promise<unknown>)(asked)) as { session: string };
      const scope = (api.connectionFromIBGPPeer as (proof: unknown) => unknown)(this.#proofs.get(neighbour)) as Scope;
      await scope.applyAction({ resource: "peer", action: "open", data: { session, callback: () => ({}) } });
      return "it was let in";
    } catch (thrown) {
      return (thrown as { readonly code?: string }).code ?? String(thrown);
    } finally {
      close();
    }
  }

  /** A frame of its own to all, of whatever form. */
  babble(text: string): Told[] {
    return this.#say(this.liar.babble(text));
  }

  /** Asks a neighbour for a message, as the peer that it is. */
  async ask(neighbour: string, call: object): Promise<unknown> {
    const found = [...this.#connections.values()].find(({ peer, scope }) => peer === neighbour && scope !== undefined);
    if (found?.scope === undefined) throw new Error(`no session with ${neighbour}`);
    return found.scope.applyAction(call);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { session } of this.#connections.values()) session.close();
  }

  #carryOut(effect: SpeakerEffect): void {
    switch (effect.type) {
      case "dial":
        this.#dial(effect.connection, effect.peer, effect.address);
        break;
      case "send":
        for (const text of this.liar.tells(effect.connection, effect.message)) this.#send(effect.connection, text);
        break;
      case "disconnect":
        this.#hangUp(effect.connection);
        break;
      case "event":
        this.events.push(JSON.stringify(effect.event));
        if (effect.event.kind === "established") this.liar.established(effect.event.connection, effect.event.peer);
        break;
      case "routes":
        break;
      default:
        effect satisfies never;
    }
  }

  #dial(connection: string, peer: string, url: string): void {
    this.liar.dialled(connection, peer);
    const session = openSession({ url });
    this.#connections.set(connection, { peer, session, theirs: "", scope: undefined });
    session.onClose((error) => this.#lost(connection, String(error)));
    queueMicrotask(() => this.tell({ type: "connected", connection }));
  }

  #say(said: [connection: string, texts: string[]][]): Told[] {
    const told: Told[] = [];
    for (const [connection, texts] of said)
      for (const text of texts) {
        this.#send(connection, text);
        told.push({ to: this.#connections.get(connection)?.peer ?? "?", text });
      }
    return told;
  }

  #send(connection: string, text: string): void {
    const open = this.#connections.get(connection);
    if (open === undefined) return;
    const frame = frameOf(text);
    const { type } = Object(frame) as Partial<Message>;
    const { api } = open.session;
    const failed = (thrown: unknown): void => this.#lost(connection, String((thrown as Error)?.message ?? thrown));
    const heard = (value: unknown): void => {
      // Long ones come as text, so that nobody parses them twice.
      const text = typeof value === "string" ? value : JSON.stringify(value);
      if (value !== undefined) this.tell({ type: "received-text", connection, text });
    };
    if (type === "open") {
      const hello = this.disguise?.(frame as Record<string, unknown>, open.peer) ?? frame;
      this.#opens.set(open.peer, frame);
      (api.challenge as (asked: object) => Promise<unknown>)({ connection: "connectionFromIBGPPeer", hello }).then(
        (value) => {
          const { session, frame: theirs } = value as { session: string; frame: unknown };
          open.theirs = session;
          heard(theirs);
        },
        failed,
      );
    } else if (type === "proof") {
      this.#proofs.set(open.peer, frame);
      const scope = (api.connectionFromIBGPPeer as (proof: unknown) => unknown)(frame) as Scope;
      // Frames may come before the answer that they come behind.
      const proved = Promise.withResolvers<void>();
      const callback = async (call: { readonly data?: { readonly frame?: unknown } }): Promise<unknown> => {
        await proved.promise;
        heard(call.data?.frame);
        return {};
      };
      scope
        .applyAction({ resource: "peer", action: "open", data: { session: open.theirs, callback } })
        .then((value) => {
          open.scope = scope;
          heard((value as { proof: unknown }).proof);
          proved.resolve();
        }, failed);
    } else {
      const action = VERBS[type ?? ""] ?? (typeof type === "string" && /^[a-z]+$/.test(type) ? type : "update");
      // A refusal of the message is the node's way to say no; of the connection, it ends.
      open.scope?.applyAction({ resource: "peer", action, data: { session: open.theirs, frame } }).catch(() => {});
    }
  }

  #hangUp(connection: string): void {
    const open = this.#connections.get(connection);
    this.#connections.delete(connection);
    this.liar.hungUp(connection);
    // What was said last is on its way.
    setTimeout(() => open?.session.close(), 50);
  }

  #lost(connection: string, text: string): void {
    if (!this.#connections.has(connection)) return;
    this.#hangUp(connection);
    this.tell({ type: "lost", connection, text });
  }

  #at() {
    return { now: performance.now(), wall: Math.floor(this.#options.now() / 1000) };
  }
}

/** What is no JSON goes as the text that it is. */
function frameOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
