// The witness (https://c2sp.org/tlog-witness, over sessions instead of HTTP): checks that each checkpoint of a peer is consistent with
// the one before, cosigns it if it is, and records an alert if not. A companion of the sessions: a finding ends no session and
// stops no calls.

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
import type { Ask } from "../links/link.ts";
import type { PeerName } from "../names.ts";
import { type PeerRow, peerTable } from "../schema.ts";
import { textOf } from "../thrown.ts";
import { examine, type Verdict } from "./examine.ts";
import { type Held, HeldLogs } from "./held-logs.ts";
import { AskedPeer } from "./log-of-peer.ts";
import { type Identity, verifierKeys } from "./node-keys.ts";
import { OwnCosignatures } from "./own-cosignatures.ts";
import { Telling } from "./telling.ts";
import { type Finding, LONGEST_NOTE, type WitnessRow, witnessTable } from "./witness-schema.ts";

export interface WitnessOptions {
  /** Milliseconds between two checks for a new checkpoint of this node to send; default: a third of the hold time. */
  readonly every?: number | undefined;
  /** Milliseconds between the checks of two checkpoints of one peer; default: a second. */
  readonly rest?: number | undefined;
}

export interface WitnessParts {
  readonly every: number;
  readonly rest: number;
  readonly runtime: PluginRuntime;
  /** How to call a node; `undefined` where there is no session now. */
  ask(node: string): Ask | undefined;
  /** Sends a keepalive to a node with a session. */
  keepAlive(node: string): void;
  /** Lets a node in again that comes in an earlier start than before. */
  forgetEpoch(node: string): void;
}

interface Session extends PeerName {
  /** The cosignature that the peer was sent last. */
  toldLine: string | undefined;
  /** The peer's latest checkpoint that has not been checked yet, and the one that was checked last. */
  shown: string | undefined;
  checked: string | undefined;
  lines: readonly string[];
  over: boolean;
}

const NEW = { toldLine: undefined, shown: undefined, checked: undefined };

/** Why the latest checkpoint of a peer could not be checked. */
export type Trouble = { readonly why: string; readonly at: number } | undefined;

export class Witness implements Companion {
  readonly held: HeldLogs;
  readonly own: OwnCosignatures;
  readonly #parts: WitnessParts;
  readonly #lines: FewLines;
  readonly #sessions = new Map<string, Session>();
  /** By node: the check under way. One at a time for each node, also across sessions: a second checkpoint waits for the first. */
  readonly #work = new Map<string, Promise<void>>();
  /** By node: an alert of an earlier start that is being recorded; a refused node comes again and again. */
  readonly #rewinds = new Map<string, Promise<void>>();
  readonly #trouble = new Map<string, Trouble>();
  /** By node: when an operator accepted its log, as of the durable head. */
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
      ...{ directory, identity, pinned: (node: string) => this.#peerRowOf(node)?.keys ?? [] },
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
      looked: () => this.#retryTroubled(),
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
    const work = this.#alertRewound(peer, rewound)
      .catch((thrown: unknown) => this.#recordTrouble(peer, textOf(thrown)))
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
    this.#checkNext(session);
  }

  /** Call this once all sessions have ended, so that calls to peers have failed. */
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

  /** What is held of a node's log, unless an operator has accepted the log since. */
  heldOf(node: string): Held | undefined {
    const held = this.held.of(node);
    return held === undefined || this.#isVoid(held) ? undefined : held;
  }

  #cosignature(node: string): string | undefined {
    return this.#witnessRowOf(node)?.alert === undefined ? this.heldOf(node)?.line : undefined;
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
    session.shown ??= session.checked;
    this.#checkNext(session);
  }

  /** Repeats checks that failed for a full disk or an unanswered request, because the peer may have no new checkpoint to send. */
  #retryTroubled(): void {
    for (const session of [...this.#sessions.values()]) {
      if (!this.#trouble.has(session.node)) continue;
      session.shown ??= session.checked;
      this.#checkNext(session);
    }
  }

  /** Checks one checkpoint of a peer at a time; of those that come meanwhile only the newest. */
  #checkNext(session: Session): void {
    const { node, shown, lines } = session;
    if (this.#work.has(node) || session.over || this.#stopped) return;
    if (shown === undefined && lines.length === 0) return;
    session.shown = undefined;
    session.lines = [];
    const work = this.#process(session, shown, lines).catch((thrown: unknown) =>
      this.#recordTrouble(session, textOf(thrown)),
    );
    this.#work.set(node, work);
    const { runtime, rest } = this.#parts;
    void work.then(() => {
      if (this.#stopped) return;
      runtime.timers.after(rest, () => {
        this.#work.delete(node);
        const now = this.#sessions.get(node);
        if (now !== undefined) this.#checkNext(now);
      });
    });
  }

  async #process(session: Session, shown: string | undefined, lines: readonly string[]): Promise<void> {
    await Promise.all([this.held.opened, this.own.opened]);
    for (const line of lines) {
      await this.#keepCosignature(session, line).catch((thrown: unknown) => {
        this.#lines.warn("own", { error: textOf(thrown) }, "a cosignature of this node's log could not be kept");
      });
    }
    if (shown !== undefined) await this.#check(session, shown);
  }

  async #keepCosignature({ name, node }: Session, line: string): Promise<void> {
    if (await this.own.heard(node, line)) return;
    this.#lines.warn(
      `cosignature ${name}`,
      { peer: node, name },
      "a peer's cosignature is of nothing that it was told",
    );
  }

  async #check(session: Session, shown: string): Promise<void> {
    const { name, node } = session;
    const { runtime } = this.#parts;
    session.checked = shown;
    const row = runtime.reader.get(peerTable, name);
    const known = this.#witnessRowOf(node);
    if (row?.node !== node || known?.alert !== undefined) return;
    // An acceptance that is not durable yet: #follow repeats this check once it is.
    if (known?.accepted !== this.#accepted.get(node)) return;
    const note = signedBy(shown, [keyName(node)]);
    // A note has a limit of signatures: with too many, ours would not fit, and the kept note could not be read.
    if (openNote(note).signatures.length > 1)
      return this.#recordTrouble(session, "it signed its checkpoint more than once");
    const checkpoint = await verifyCheckpoint(note, verifierKeys(node, row.keys));
    const unreadable = this.held.unreadable(node);
    if (unreadable !== undefined && (known?.accepted ?? 0) <= this.#since)
      return this.#recordTrouble(
        session,
        `what was cosigned of it cannot be read (${unreadable}); witness.accept begins anew`,
      );
    const held = this.heldOf(node);
    if (held?.note === note) {
      this.#trouble.delete(node);
      return this.#parts.keepAlive(node);
    }
    // Only the session that showed the checkpoint is asked for its proofs: a later one may be with a log that was restored since.
    const ask = session.over ? undefined : this.#parts.ask(node);
    if (ask === undefined) return this.#recordTrouble(session, "there is no session to ask it over");
    const verdict = await examine(held, checkpoint, new AskedPeer(ask, runtime.timers));
    await this.#act(session, { note, held, checkpoint }, verdict);
  }

  async #act(
    session: Session,
    { note, held, checkpoint }: Pick<Held, "note" | "checkpoint"> & { readonly held: Held | undefined },
    verdict: Verdict,
  ): Promise<void> {
    const { name, node } = session;
    const { runtime, keepAlive } = this.#parts;
    switch (verdict.kind) {
      case "unproved":
        return this.#recordTrouble(session, `nothing proves that it only grew: ${verdict.why}`);
      case "found": {
        // An operator accepted the log meanwhile: #follow repeats the check.
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

  /** A node came in an earlier start: only the handshake proved that, so there is no checkpoint as evidence, and nobody to ask for the entry. */
  async #alertRewound({ name, node }: PeerName, { epoch, was }: Rewound): Promise<void> {
    await this.held.opened;
    const known = this.#witnessRowOf(node);
    const held = this.heldOf(node);
    if (held === undefined || this.#parts.runtime.reader.get(peerTable, name)?.node !== node) return;
    if (known?.alert !== undefined || known?.accepted !== this.#accepted.get(node)) return;
    const starts = `it comes in its start ${epoch}, and has been in its start ${was}`;
    const why = `${starts}; it is refused, and cannot be asked: capstan log verify --witness on its node names the entry`;
    await this.#alert({ name, node }, held.checkpoint.log, { kind: "rewound", why, held: held.note, shown: "" });
  }

  /** Records an alert, once: while its row stands, no more checkpoints of that node are checked. */
  async #alert({ name, node }: PeerName, log: string, finding: Finding): Promise<void> {
    const { runtime } = this.#parts;
    const { kind, entry, why } = finding;
    runtime.log.error({ peer: node, name, log, kind, ...(entry && { entry }), why }, `a peer's log was ${kind}`);
    const { entry: _, ...rest } = finding;
    const data = { name, node, log, ...rest, ...(entry === undefined ? {} : { entry }) };
    const call: Call = { resource: "witness", action: "alert", data };
    await runtime.note(call);
  }

  #recordTrouble({ name, node }: PeerName, why: string): void {
    const { runtime } = this.#parts;
    this.#trouble.set(node, { why: printable(why, 500), at: runtime.now() });
    this.#lines.warn(
      `trouble ${name}`,
      { peer: node, name, why: printable(why, 300) },
      "a peer's checkpoint is not cosigned",
    );
  }

  #witnessRowOf(node: string): WitnessRow | undefined {
    return this.#parts.runtime.reader.get(witnessTable, node);
  }

  #peerRowOf(node: string): PeerRow | undefined {
    for (const [, row] of this.#parts.runtime.reader.rows(peerTable)) if (row.node === node) return row;
    return undefined;
  }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
