// Connections over links: they are dialled, carry frames of text in order while the link is well, and end as TCP's do: by a
// close that comes after what was sent, by a reset, or by nothing at all. It must not know what frames mean.

import type { SpeakerInput } from "../speaker/speaker-input.ts";
import type { VirtualClock } from "./clock.ts";
import type { CutKind, Link } from "./link.ts";

/** What the network asks of a node, and tells it. */
export interface Host {
  readonly id: string;
  /** `running`; `gone`: its machine answers that nobody is there; `dark`: nothing answers. */
  readonly presence: "running" | "gone" | "dark";
  /** Which start this is: connections belong to one. */
  readonly life: number;
  input(input: SpeakerInput): void;
}

interface End {
  readonly host: Host;
  readonly life: number;
  /** As its speaker calls it. */
  readonly id: string;
  open: boolean;
  /** When what was sent to this end last arrives: what comes later must not overtake it. */
  lastArrival: number;
}

interface Connection {
  readonly number: number;
  readonly link: Link;
  readonly ends: readonly [End, End];
}

type Watch = (what: {
  readonly kind: "frame" | "opened" | "closed";
  readonly connection: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
}) => void;

export class Network {
  readonly #clock: VirtualClock;
  readonly #hosts = new Map<string, Host>();
  readonly #links = new Map<string, Link>();
  readonly #connections = new Map<string, Connection>();
  readonly #watch: Watch;
  #opened = 0;

  /** `watch` sees each frame that arrives, before whom it arrives at does. */
  constructor(clock: VirtualClock, watch: Watch) {
    this.#clock = clock;
    this.#watch = watch;
  }

  addHost(host: Host): void {
    this.#hosts.set(host.id, host);
  }

  addLink(a: string, b: string, link: Link): void {
    this.#links.set(pair(a, b), link);
  }

  link(a: string, b: string): Link | undefined {
    return this.#links.get(pair(a, b));
  }

  /** Answered by `connected` or `dial-failed`, or by nothing where nothing answers. */
  dial(from: Host, id: string, to: string): void {
    const link = this.link(from.id, to);
    const target = this.#hosts.get(to);
    const { life } = from;
    const refuse = (text: string): void => {
      if (from.life === life && from.presence === "running") from.input({ type: "dial-failed", connection: id, text });
    };
    if (link === undefined || target === undefined || link.state === "reset") {
      this.#later(1, () => refuse("no way to that address"));
      return;
    }
    const dialler: End = { host: from, life, id, open: true, lastArrival: 0 };
    // Known at once, so that the dialler can give it up while it is being made.
    const number = ++this.#opened;
    const arrive = (): void => {
      if (link.state !== undefined || target.presence === "dark") return;
      if (target.presence === "gone") {
        this.#later(link.delay(), () => refuse("nobody is there"));
        return;
      }
      const acceptor: End = { host: target, life: target.life, id: `in-${number}`, open: true, lastArrival: 0 };
      const connection: Connection = { number, link, ends: [dialler, acceptor] };
      this.#connections.set(key(target, acceptor.id), connection);
      this.#watch({ kind: "opened", connection: number, from: from.id, to, text: "" });
      const binding = `channel-${number}`;
      target.input({ type: "accepted", connection: acceptor.id, binding });
      this.#later(link.delay(), () => {
        if (link.state === "drop") return;
        if (!present(dialler)) {
          this.#reset(connection, acceptor);
          return;
        }
        this.#connections.set(key(from, id), connection);
        from.input({ type: "connected", connection: id, binding });
      });
    };
    this.#later(link.delay(), arrive);
  }

  send(from: Host, id: string, text: string): void {
    const connection = this.#connections.get(key(from, id));
    if (connection === undefined) return;
    const { link } = connection;
    if (link.state === "drop") return;
    const [mine, other] = endsOf(connection, from, id);
    const { delays, overtakes } = link.fate();
    for (const delay of delays) {
      const at = overtakes ? this.#clock.now + delay : Math.max(other.lastArrival, this.#clock.now + delay);
      if (!overtakes) other.lastArrival = at;
      this.#clock.plan(at, () => this.#arrive(connection, mine, other, text));
    }
  }

  /** Who really is at the other end of it. */
  farEnd(host: Host, id: string): string | undefined {
    const connection = this.#connections.get(key(host, id));
    return connection && endsOf(connection, host, id)[1].host.id;
  }

  /** Connections between two nodes that both ends have open. */
  between(a: string, b: string): number[] {
    const both = [...new Set(this.#connections.values())].filter(({ ends: [one, other] }) => {
      return one.open && other.open && pair(one.host.id, other.host.id) === pair(a, b);
    });
    return both.map(({ number }) => number);
  }

  /** One end is done with it; the other hears of it after what was sent before. Also of one that is still being dialled. */
  disconnect(from: Host, id: string): void {
    const connection = this.#connections.get(key(from, id));
    if (connection === undefined) return;
    const [mine, other] = endsOf(connection, from, id);
    this.#close(connection, mine);
    const at = Math.max(other.lastArrival, this.#clock.now + connection.link.delay());
    this.#clock.plan(at, () => {
      if (connection.link.state !== "drop") this.#lose(connection, other, "closed by the other side");
    });
  }

  /** A process ends. `silently`: its machine with it, and nobody is told. */
  drop(host: Host, silently: boolean): void {
    for (const connection of [...this.#connections.values()]) {
      for (const end of connection.ends) {
        if (end.host !== host || !end.open) continue;
        const other = connection.ends[end === connection.ends[0] ? 1 : 0];
        this.#close(connection, end);
        if (!silently) this.#reset(connection, other);
      }
    }
  }

  cut(a: string, b: string, reason: string, kind: CutKind): void {
    const link = this.link(a, b);
    link?.cut(reason, kind);
    if (link?.state !== "reset") return;
    for (const connection of new Set(this.#connections.values())) {
      if (connection.link !== link) continue;
      for (const end of connection.ends) this.#later(1, () => this.#lose(connection, end, "reset"));
    }
  }

  #arrive(connection: Connection, from: End, to: End, text: string): void {
    if (connection.link.state !== undefined) return;
    if (present(to)) {
      const what = { connection: connection.number, from: from.host.id, to: to.host.id, text };
      this.#watch({ kind: "frame", ...what });
      to.host.input({ type: "received-text", connection: to.id, text });
    } else if (to.host.presence !== "dark") {
      // Its process is another now, or has closed this: TCP answers with a reset.
      this.#reset(connection, from);
    }
  }

  #reset(connection: Connection, end: End): void {
    this.#later(connection.link.delay(), () => {
      if (connection.link.state !== "drop") this.#lose(connection, end, "reset by the other side");
    });
  }

  #lose(connection: Connection, end: End, text: string): void {
    if (!present(end)) return;
    this.#close(connection, end);
    end.host.input({ type: "lost", connection: end.id, text });
  }

  #close(connection: Connection, end: End): void {
    end.open = false;
    this.#connections.delete(key(end.host, end.id));
    const [a, b] = connection.ends;
    if (a.open || b.open) return;
    this.#watch({ kind: "closed", connection: connection.number, from: a.host.id, to: b.host.id, text: "" });
  }

  #later(delay: number, run: () => void): void {
    this.#clock.plan(this.#clock.now + delay, run);
  }
}

const pair = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
const key = (host: Host, id: string): string => `${host.id} ${id}`;
const present = ({ host, life, open }: End): boolean => open && host.life === life && host.presence === "running";

function endsOf({ ends: [a, b] }: Connection, host: Host, id: string): [mine: End, other: End] {
  return a.host === host && a.id === id ? [a, b] : [b, a];
}
