// A node that has valid sessions and tells lies over them. Its speaker is a real one; what goes out of it passes through here
// and is numbered anew. Between two `lie`s what it says of a name that it lies about does not change, whatever it hears: so
// the honest nodes around it have something to come to rest on.

import { disclose } from "../../origin/sign.ts";
import type { SpeakerInput } from "../../speaker/speaker-input.ts";
import type { Announcement, Message, Open } from "../../wire/message.ts";
import { encodeFrame } from "../../wire/read-message.ts";
import type { Random } from "../random.ts";
import { type LieKind, lieName, type Means, makeLie, type Told } from "./lies.ts";
import { Loot } from "./loot.ts";
import { separately } from "./separately.ts";

/** What everybody may know of an offer that is another's: only the proofs of it are secret. */
export interface Mask {
  readonly node: string;
  readonly domain: string;
  readonly key: string;
  /** The id of the secret that the other one has with that peer. */
  readonly secretWith: (peer: string) => string;
}

interface Channel {
  peer: string;
  /** Number of the next message. */
  sent: number;
  established: boolean;
  /** Ids of the secrets that its speaker offered, where it wears a mask. */
  offered: readonly string[] | undefined;
}

interface Standing {
  readonly told: Told;
  /** Not everybody is told the same. */
  readonly to: ReadonlySet<string> | undefined;
}

export class Liar {
  /** Whom its offers claim to be of, instead of itself. */
  impersonates: Mask | undefined;
  readonly #random: Random;
  readonly #domainOf: (node: string) => string;
  readonly #loot = new Loot();
  readonly #channels = new Map<string, Channel>();
  #standing = new Map<string, Standing>();
  /** Names that it has ever lied about: its honest words about them are kept back. */
  readonly #touched = new Set<string>();

  constructor(random: Random, domainOf: (node: string) => string) {
    this.#random = random;
    this.#domainOf = domainOf;
  }

  /** What its speaker gets to hear. Behind a mask, it has to believe that the secret it knows was taken. */
  hears(input: SpeakerInput): SpeakerInput {
    if (input.type !== "received-text") return input;
    this.#loot.hear(input.text);
    const offered = this.#channels.get(input.connection)?.offered;
    if (offered === undefined || !input.text.startsWith('{"type":"open"')) return input;
    return { ...input, text: JSON.stringify({ ...JSON.parse(input.text), secrets: offered.slice(0, 1) }) };
  }

  dialled(connection: string, peer: string): void {
    this.#channel(connection).peer = peer;
  }

  /** Its process ended. */
  forgetConnections(): void {
    this.#channels.clear();
  }

  hungUp(connection: string): void {
    this.#channels.delete(connection);
  }

  established(connection: string, peer: string): void {
    Object.assign(this.#channel(connection), { peer, established: true });
  }

  /** What goes out in place of a message of its speaker. */
  tells(connection: string, message: Message): string[] {
    const channel = this.#channel(connection);
    switch (message.type) {
      case "open":
        return this.#number(channel, [this.#masked(channel, message)]);
      case "proof":
        if (channel.offered === undefined || this.impersonates === undefined) return this.#number(channel, [message]);
        return this.#number(channel, [{ ...message, secret: this.impersonates.secretWith(channel.peer) }]);
      case "update":
        return this.#number(channel, this.#honest(message));
      case "end-of-table":
        // What is not announced before it is forgotten with it.
        return this.#number(channel, [...this.#updates(channel, [...this.#standing.keys()], []), message]);
      default:
        return this.#number(channel, [message]);
    }
  }

  /** New lies of these kinds, about as many names as it can find; and a withdrawal of routes that others announced. */
  lie(kinds: readonly LieKind[], peers: readonly string[], means: Means): [connection: string, texts: string[]][] {
    const random = this.#random;
    const before = [...this.#standing.keys()];
    const names = random.sample(this.#loot.names, kinds.length + 1);
    this.#standing = new Map();
    for (const [at, kind] of kinds.entries()) {
      const first = this.#loot.first(names[at] ?? "");
      const last = this.#loot.last(names[at] ?? "");
      if (first === undefined || last === undefined) continue;
      const to = random.chance(0.3) ? new Set(random.sample(peers, Math.ceil(peers.length / 2))) : undefined;
      const name = lieName(kind, last, means);
      this.#standing.set(name, { told: makeLie(kind, { first, last }, means), to });
      this.#touched.add(name);
    }
    const dropped = before.filter((name) => !this.#standing.has(name));
    // Somebody else's: only what was announced over a session can be withdrawn over it.
    const foreign = names.slice(kinds.length).filter((name) => !this.#touched.has(name));
    return this.#over((channel) => this.#updates(channel, [...this.#standing.keys()], [...dropped, ...foreign]));
  }

  /** The same frame of its own to all peers: an update that is one, or no message at all. */
  babble(text: string): [connection: string, texts: string[]][] {
    return this.#established().map(([connection]) => [connection, [text]]);
  }

  #masked(channel: Channel, open: Open): Open {
    if (this.impersonates === undefined) return open;
    const { node, domain, key, secretWith } = this.impersonates;
    if (channel.peer === "") return { ...open, node, domain, key }; // it was dialled, and cannot choose the secret
    channel.offered = open.secrets;
    return { ...open, node, domain, key, secrets: [secretWith(channel.peer)] };
  }

  #updates(channel: Channel, names: readonly string[], withdraw: readonly string[]): Message[] {
    const announce = names.flatMap((name) => {
      const standing = this.#standing.get(name);
      if (standing === undefined || standing.to?.has(channel.peer) === false) return [];
      return [standing.told(this.#domainOf(channel.peer))];
    });
    if (announce.length + withdraw.length === 0) return [];
    return [{ type: "update", seq: 0, withdraw: [...withdraw], announce }];
  }

  #honest(update: Extract<Message, { type: "update" }>): Message[] {
    if (this.#touched.size === 0) return [update];
    const withdraw = update.withdraw.filter((name) => !this.#touched.has(name as string));
    const announce = (update.announce as readonly Announcement[]).flatMap(separately).flatMap((announcement) => {
      const { origin, leaves } = announcement;
      const keep = leaves.flatMap(([name]) => (typeof name === "string" && !this.#touched.has(name) ? [name] : []));
      if (keep.length === 0) return [];
      return [{ ...announcement, leaves: disclose({ claim: origin, leaves, root: "" }, new Set(keep)) }];
    });
    return withdraw.length + announce.length === 0 ? [] : [{ ...update, withdraw, announce }];
  }

  #over(says: (channel: Channel) => Message[]): [connection: string, texts: string[]][] {
    return this.#established().map(([connection, channel]) => [connection, this.#number(channel, says(channel))]);
  }

  #established(): [string, Channel][] {
    return [...this.#channels].filter(([, { established }]) => established);
  }

  #channel(connection: string): Channel {
    const known = this.#channels.get(connection);
    if (known !== undefined) return known;
    const made = { peer: "", sent: 0, established: false, offered: undefined };
    this.#channels.set(connection, made);
    return made;
  }

  #number(channel: Channel, messages: readonly Message[]): string[] {
    return messages.map((message) => encodeFrame({ ...message, seq: channel.sent++ }));
  }
}
