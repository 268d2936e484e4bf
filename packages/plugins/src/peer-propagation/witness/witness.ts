// The witness (https://c2sp.org/tlog-witness, over sessions instead of HTTP): looks whether each checkpoint that a peer tells goes on from
// the one before, cosigns it where it does, and raises the alarm where it does not. It goes along with sessions, and ends none: whatever it
// finds, everything else goes on.

import {
  type Message as Call,
  keyName,
  openNote,
  type PluginRuntime,
  printable,
  signedBy,
  verifyCheckpoint,
} from "@capstan/orchestrator";
import type { Message, Rewound } from "@capstan/peer";
import type { Companion } from "../companion.ts";
import { FewLines } from "../few-lines.ts";
import type { PeerName } from "../forward/far-answer.ts";
import type { Ask } from "../links/link.ts";
import { textOf } from "../links/outbox.ts";
import { type PeerRow, peerTable } from "../schema.ts";
import { examine, type Verdict } from "./examine.ts";
import { type Held, HeldLogs } from "./held-logs.ts";
import { AskedPeer } from "./log-of-peer.ts";
import { type Identity, verifierKeys } from "./node-keys.ts";
import { OwnCosignatures } from "./own-cosignatures.ts";
import { Telling } from "./telling.ts";
import { type Finding, LONGEST_NOTE, type WitnessRow, witnessTable } from "./witness-schema.ts";

export interface WitnessOptions {
  /** Milliseconds between two looks whether peers are to be told another checkpoint; default: a third of the hold time. */
  readonly every?: number | undefined;
  /** Milliseconds from having looked at a checkpoint of a peer's to looking at its next; default: a second. */
  readonly rest?: number | undefined;
}

export interface WitnessParts {
  readonly every: number;
  readonly rest: number;
  readonly runtime: PluginRuntime;
  /** How a node is asked now; `undefined` where it cannot be. */
  ask(node: string): Ask | undefined;
  /** Has a keepalive sent to a node that there is a session with. */
  keepAlive(node: string): void;
  /** A node that comes in an earlier start than before may come again. */
  forgetEpoch(node: string): void;
}

interface Session extends PeerName {
  /** The cosignature that it was told last. */
  toldLine: string | undefined;
  /** What it showed last, where nobody has looked at it yet, and what was looked at last. */
  shown: string | undefined;
  looked: string | undefined;
  lines: readonly string[];
  over: boolean;
}

const NEW = { toldLine: undefined, shown: undefined, looked: undefined };

/** What there is to say of a peer's log besides what is held and what was found. */
export type Trouble = { readonly why: string; readonly at: number } | undefined;

export class Witness implements Companion {
  readonly held: HeldLogs;
  readonly own: OwnCosignatures;
  readonly #parts: WitnessParts;
  readonly #lines: FewLines;
  readonly #sessions = new Map<string, Session>();
  /** What is being done about nodes, whatever session it came of: of two checkpoints of a log the second waits for the first. */
  readonly #work = new Map<string, Promise<void>>();
  /** Those that are being recorded: who is refused tries again. */
  readonly #rewinds = new Map<string, Promise<void>>();
  readonly #trouble = new Map<string, Trouble>();
  /** By node, as of the durable head. */
  readonly #accepted = new Map<string, number>();
  readonly #stopFollowing: () => void;
  readonly #since: number;
  readonly #telling: Telling;
  #stopped = false;

  constructor(parts: WitnessParts) {
    const { runtime } = parts;
    this.#parts = parts;
    this.#lines = new FewLines(runtime);
    this.#since = runtime.now();
    const { directory, id } = runtime.node;
    const identity: Identity = {
      name: keyName(id),
      publicKey: () => Buffer.from(runtime.identity.publicKey, "base64url"),
    };
    const common = {
      ...{ directory, identity, pinned: (node: string) => this.#rowOfNode(node)?.keys ?? [] },
      damaged: (file: string, why: string) =>
        runtime.log.error(
          { file, why: printable(why, 300) },
          "a witness's file is not what was written, and is not used",
        ),
    };
    this.held = new HeldLogs(common);
    const { log, cosigned, tree } = runtime.reader.proofs;
    const root = (size: number) => (size <= tree.size ? tree.root(size) : undefined);
    this.own = new OwnCosignatures({ ...common, log, cosigned, root });
    this.#telling = new Telling({
      ...{ runtime, every: parts.every, ready: this.own.opened },
      keepAlive: (node) => parts.keepAlive(node),
      looked: () => this.#again(),
    });
    this.#stopFollowing = runtime.follow([witnessTable], (rows) => {
      for (const { key, row } of rows) this.#follow(key, row as WitnessRow | undefined);
    });
  }

  established({ name, node }: PeerName): void {
    this.#sessions.set(node, { name, node, ...NEW, lines: [], over: false });
    this.#telling.established(node);
  }

  lost({ node }: PeerName): void {
    const session = this.#sessions.get(node);
    if (session !== undefined) session.over = true;
    this.#sessions.delete(node);
    this.#telling.lost(node);
  }

  rewound(peer: PeerName, rewound: Rewound): void {
    const { node } = peer;
    if (this.#stopped || this.#rewinds.has(node)) return;
    const work = this.#wentBack(peer, rewound)
      .catch((thrown: unknown) => this.#troubled(peer, textOf(thrown)))
      .then(() => void this.#rewinds.delete(node));
    this.#rewinds.set(node, work);
  }

  outgoing({ node }: PeerName, frame: Message): Message {
    const session = this.#sessions.get(node);
    if (frame.type !== "keepalive" || session === undefined) return frame;
    let said: Message = frame;
    const checkpoint = this.#telling.take(node);
    if (checkpoint !== undefined) {
      this.own.tell(node, checkpoint);
      said = { ...said, checkpoint };
    }
    const line = this.#cosignature(node);
    if (line !== undefined && line !== session.toldLine) {
      session.toldLine = line;
      said = { ...said, cosignatures: [line] };
    }
    return said;
  }

  incoming({ node }: PeerName, frame: unknown): void {
    const session = this.#sessions.get(node);
    const { type, checkpoint, cosignatures } = Object(frame) as Record<string, unknown>;
    if (type !== "keepalive" || session === undefined) return;
    if (typeof checkpoint === "string" && checkpoint.length <= LONGEST_NOTE) session.shown = checkpoint;
    if (Array.isArray(cosignatures))
      session.lines = cosignatures.slice(0, 2).filter((one) => typeof one === "string" && one.length < 512);
    this.#take(session);
  }

  /** Called once there are no sessions any more: what was asked of peers was told so. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopFollowing();
    this.#telling.stop();
    for (const session of this.#sessions.values()) session.over = true;
    this.#sessions.clear();
    await Promise.all([...this.#work.values(), ...this.#rewinds.values(), this.held.opened, this.own.opened]);
  }

  trouble(node: string): Trouble {
    return this.#trouble.get(node);
  }

  /** What is held of a node's log, unless it was found to be another or an operator had it begun anew. */
  heldOf(node: string): Held | undefined {
    const held = this.held.of(node);
    return held === undefined || this.#isVoid(held) ? undefined : held;
  }

  #cosignature(node: string): string | undefined {
    return this.#rowOf(node)?.alert === undefined ? this.heldOf(node)?.line : undefined;
  }

  #isVoid({ node, time }: Held): boolean {
    const accepted = this.#accepted.get(node);
    return accepted !== undefined && time <= seconds(accepted);
  }

  #follow(node: string, row: WitnessRow | undefined): void {
    if (row?.accepted === undefined || row.accepted === this.#accepted.get(node)) return;
    this.#accepted.set(node, row.accepted);
    this.#parts.forgetEpoch(node);
    const session = this.#sessions.get(node);
    if (session === undefined) return;
    session.shown ??= session.looked;
    this.#take(session);
  }

  /** What came of nothing, a full disk or a peer that did not answer, is tried again: it may have nothing new to show. */
  #again(): void {
    for (const session of [...this.#sessions.values()]) {
      if (!this.#trouble.has(session.node)) continue;
      session.shown ??= session.looked;
      this.#take(session);
    }
  }

  /** One thing of a peer's at a time, and the newest of what it showed meanwhile. */
  #take(session: Session): void {
    const { node, shown, lines } = session;
    if (this.#work.has(node) || session.over || this.#stopped) return;
    if (shown === undefined && lines.length === 0) return;
    session.shown = undefined;
    session.lines = [];
    const work = this.#heard(session, shown, lines).catch((thrown: unknown) => this.#troubled(session, textOf(thrown)));
    this.#work.set(node, work);
    const { runtime, rest } = this.#parts;
    void work.then(() => {
      if (this.#stopped) return;
      runtime.timers.after(rest, () => {
        this.#work.delete(node);
        const now = this.#sessions.get(node);
        if (now !== undefined) this.#take(now);
      });
    });
  }

  async #heard(session: Session, shown: string | undefined, lines: readonly string[]): Promise<void> {
    await Promise.all([this.held.opened, this.own.opened]);
    for (const line of lines) {
      await this.#cosigned(session, line).catch((thrown: unknown) => {
        this.#lines.warn("own", { error: textOf(thrown) }, "a cosignature of this node's log could not be kept");
      });
    }
    if (shown !== undefined) await this.#shown(session, shown);
  }

  async #cosigned({ name, node }: Session, line: string): Promise<void> {
    if (await this.own.heard(node, line)) return;
    this.#lines.warn(
      `cosignature ${name}`,
      { peer: node, name },
      "a peer's cosignature is of nothing that it was told",
    );
  }

  async #shown(session: Session, shown: string): Promise<void> {
    const { name, node } = session;
    const { runtime } = this.#parts;
    session.looked = shown;
    const row = runtime.reader.get(peerTable, name);
    const known = this.#rowOf(node);
    if (row?.node !== node || known?.alert !== undefined) return;
    // An operator's word that is not durable yet: it is looked at once it is (#follow).
    if (known?.accepted !== this.#accepted.get(node)) return;
    const note = signedBy(shown, [keyName(node)]);
    // With as many as a note may have, ours would be one too many, and what was kept could not be read.
    if (openNote(note).signatures.length > 1) return this.#troubled(session, "it signed its checkpoint more than once");
    const checkpoint = await verifyCheckpoint(note, verifierKeys(node, row.keys));
    const unreadable = this.held.unreadable(node);
    if (unreadable !== undefined && (known?.accepted ?? 0) <= this.#since)
      return this.#troubled(
        session,
        `what was cosigned of it cannot be read (${unreadable}); witness.accept begins anew`,
      );
    const held = this.heldOf(node);
    if (held?.note === note) {
      this.#trouble.delete(node);
      return this.#parts.keepAlive(node);
    }
    // What a session showed is asked over that one: the next may be with a log that was restored since.
    const ask = session.over ? undefined : this.#parts.ask(node);
    if (ask === undefined) return this.#troubled(session, "there is no session to ask it over");
    const verdict = await examine(held, checkpoint, new AskedPeer(ask, runtime.timers));
    await this.#judged(session, { note, held, checkpoint }, verdict);
  }

  async #judged(
    session: Session,
    { note, held, checkpoint }: Pick<Held, "note" | "checkpoint"> & { readonly held: Held | undefined },
    verdict: Verdict,
  ): Promise<void> {
    const { name, node } = session;
    const { runtime, keepAlive } = this.#parts;
    switch (verdict.kind) {
      case "unproved":
        return this.#troubled(session, `nothing proves that it only grew: ${verdict.why}`);
      case "found": {
        // An operator had it begun anew meanwhile: it is looked at once more.
        if (this.heldOf(node) !== held) return;
        const { found: kind, entry, why } = verdict;
        const finding = { kind, entry, why: printable(why, 900), held: held?.note ?? "", shown: note };
        return this.#alert(session, held?.checkpoint.log ?? checkpoint.log, finding);
      }
      case "good": {
        const time = Math.max(seconds(runtime.now()), seconds(this.#accepted.get(node) ?? 0) + 1);
        const line = runtime.identity.cosign(openNote(note).text, time);
        const keeping: Held = { node, checkpoint, note, line, time, leaves: verdict.leaves };
        await this.held.keep(keeping);
        this.#trouble.delete(node);
        if (verdict.kept !== undefined) {
          const { log, epoch } = checkpoint;
          this.#lines.warn(
            `restored ${name}`,
            { peer: node, name, log, epoch, kept: verdict.kept },
            "a peer's log was restored from a backup",
          );
        }
        if (!session.over) keepAlive(node);
        return;
      }
      default:
        verdict satisfies never;
    }
  }

  /** That is proved by what only its session saw: there is no checkpoint to show, and nobody to ask for the entry. */
  async #wentBack({ name, node }: PeerName, { epoch, was }: Rewound): Promise<void> {
    await this.held.opened;
    const known = this.#rowOf(node);
    const held = this.heldOf(node);
    if (held === undefined || this.#parts.runtime.reader.get(peerTable, name)?.node !== node) return;
    if (known?.alert !== undefined || known?.accepted !== this.#accepted.get(node)) return;
    const starts = `it comes in its start ${epoch}, and has been in its start ${was}`;
    const why = `${starts}; it is refused, and cannot be asked: capstan log verify --witness on its node names the entry`;
    await this.#alert({ name, node }, held.checkpoint.log, { kind: "rewound", why, held: held.note, shown: "" });
  }

  /** Recorded once: as long as the row stands, nothing more of that node's is looked at. */
  async #alert({ name, node }: PeerName, log: string, finding: Finding): Promise<void> {
    const { runtime } = this.#parts;
    const { kind, entry, why } = finding;
    runtime.log.error({ peer: node, name, log, kind, ...(entry && { entry }), why }, `a peer's log was ${kind}`);
    const { entry: _, ...rest } = finding;
    const data = { name, node, log, ...rest, ...(entry === undefined ? {} : { entry }) };
    const call: Call = { resource: "witness", action: "alert", data };
    await runtime.note(call);
  }

  #troubled({ name, node }: PeerName, why: string): void {
    const { runtime } = this.#parts;
    this.#trouble.set(node, { why: printable(why, 500), at: runtime.now() });
    this.#lines.warn(
      `trouble ${name}`,
      { peer: node, name, why: printable(why, 300) },
      "a peer's checkpoint is not cosigned",
    );
  }

  #rowOf(node: string): WitnessRow | undefined {
    return this.#parts.runtime.reader.get(witnessTable, node);
  }

  #rowOfNode(node: string): PeerRow | undefined {
    for (const [, row] of this.#parts.runtime.reader.rows(peerTable)) if (row.node === node) return row;
    return undefined;
  }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
