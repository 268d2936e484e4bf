// One simulated node: the very same Speaker that a real one runs, with its clocks and its timer, which starts, crashes and
// comes back. It carries out what the speaker wants, and tells the run what happened; a liar rewrites what goes out.

import type { BestChange } from "../rib/path.ts";
import { Speaker } from "../speaker/speaker.ts";
import type { SpeakerConfig } from "../speaker/speaker-config.ts";
import type { SpeakerEffect, SpeakerEvent } from "../speaker/speaker-effect.ts";
import type { SpeakerInput } from "../speaker/speaker-input.ts";
import type { Message } from "../wire/message.ts";
import { encodeFrame } from "../wire/read-message.ts";
import type { VirtualClock } from "./clock.ts";
import type { Liar } from "./liar/liar.ts";
import type { Host, Network } from "./network.ts";
import type { NodeClock } from "./node-clock.ts";

/** What a node tells the run. */
export interface Witness {
  input(node: SimNode, input: SpeakerInput): void;
  sent(node: SimNode, message: Message): void;
  routes(node: SimNode, changes: readonly BestChange[]): void;
  event(node: SimNode, event: SpeakerEvent): void;
  /** Never right: an exception, or a timer that is due again and again. */
  broken(node: SimNode, what: string): void;
}

/** Ticks in a row, each a millisecond after the other, in which a timer stays due: no timer of the protocol is that short. */
const MOST_SPINS = 1000;

export class SimNode implements Host {
  readonly id: string;
  readonly clock: NodeClock;
  readonly liar: Liar | undefined;
  presence: Host["presence"] = "gone";
  life = 0;
  speaker: Speaker | undefined;
  readonly #time: VirtualClock;
  readonly #network: Network;
  readonly #witness: Witness;
  /** When its speaker has something to do, and for when the timer is set. */
  #due = Number.POSITIVE_INFINITY;
  #armed = Number.POSITIVE_INFINITY;
  #spins = 0;

  constructor(
    id: string,
    clock: NodeClock,
    liar: Liar | undefined,
    around: { readonly time: VirtualClock; readonly network: Network; readonly witness: Witness },
  ) {
    this.id = id;
    this.clock = clock;
    this.liar = liar;
    this.#time = around.time;
    this.#network = around.network;
    this.#witness = around.witness;
  }

  get up(): boolean {
    return this.presence === "running";
  }

  /** `base`: what its monotonic clock shows then. */
  start(config: SpeakerConfig, base: number): void {
    this.life++;
    this.presence = "running";
    this.#armed = Number.POSITIVE_INFINITY;
    this.clock.start(this.#time.now, base);
    this.liar?.forgetConnections();
    this.speaker = new Speaker(config, this.clock.at(this.#time.now));
  }

  /** `silently`: nobody is told, and nothing answers. */
  crash(silently: boolean): void {
    this.presence = silently ? "dark" : "gone";
    this.speaker = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    this.#network.drop(this, silently);
  }

  input(input: SpeakerInput): void {
    if (this.speaker === undefined) return;
    this.#witness.input(this, input);
    const heard = this.liar === undefined ? input : this.liar.hears(input);
    this.#handle(this.speaker, heard);
    this.#arm();
  }

  /** What a liar says of its own accord. */
  say(connection: string, texts: readonly string[]): void {
    for (const text of texts) this.#network.send(this, connection, text);
  }

  #handle(speaker: Speaker, input: SpeakerInput): void {
    let effects: readonly SpeakerEffect[];
    try {
      effects = speaker.handle(input, this.clock.at(this.#time.now));
    } catch (thrown) {
      this.#witness.broken(this, `threw at ${input.type}: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
      this.crash(false);
      return;
    }
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: SpeakerEffect): void {
    switch (effect.type) {
      case "dial":
        this.liar?.dialled(effect.connection, effect.peer);
        this.#network.dial(this, effect.connection, effect.address);
        break;
      case "send":
        this.#witness.sent(this, effect.message);
        this.say(
          effect.connection,
          this.liar?.tells(effect.connection, effect.message) ?? [encodeFrame(effect.message)],
        );
        break;
      case "disconnect":
        this.liar?.hungUp(effect.connection);
        this.#network.disconnect(this, effect.connection);
        break;
      case "routes":
        this.#witness.routes(this, effect.changes);
        break;
      case "event":
        if (effect.event.kind === "established") this.liar?.established(effect.event.connection, effect.event.peer);
        this.#witness.event(this, effect.event);
        break;
      default:
        effect satisfies never;
    }
  }

  /** Asks the speaker for its deadline: once after each input, for nothing else changes it. */
  #arm(): void {
    const deadline = this.speaker?.deadline();
    this.#due = deadline === undefined ? Number.POSITIVE_INFINITY : this.clock.when(deadline);
    this.#armFor(Math.max(this.#time.now, this.#due));
  }

  /** One timer is enough: when it is early, it is set again. */
  #armFor(at: number): void {
    if (at >= this.#armed) return;
    this.#armed = at;
    const { life } = this;
    this.#time.plan(at, () => {
      if (this.life !== life || this.speaker === undefined || this.#armed !== at) return;
      this.#armed = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  #ring(): void {
    const { now } = this.#time;
    if (this.#due > now) {
      this.#armFor(this.#due);
      return;
    }
    // What is due once more at the same time waits a millisecond: else time would stand still.
    this.#armed = now;
    this.input({ type: "tick" });
    this.#armed = Number.POSITIVE_INFINITY;
    this.#spins = this.#due > now ? 0 : this.#spins + 1;
    if (this.#spins === MOST_SPINS) this.#witness.broken(this, "its timer stays due");
    this.#armFor(Math.max(now + 1, this.#due));
  }
}
