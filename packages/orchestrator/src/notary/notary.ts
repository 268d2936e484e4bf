// Signs checkpoints: how many durable entries the log has, and the root of the Merkle tree over them. It keeps the newest one, and
// writes it to a file beside the database at most half a second after an entry. It never signs a damaged log.

import { FaultError, fault } from "../fault/fault.ts";
import type { Log, LogTree, Restoration } from "../log/log.ts";
import type { Proofs } from "../plugin/reader.ts";
import { formatCheckpoint, verifyCheckpoint } from "../proof/checkpoint.ts";
import { formatVerifierKey, type Signer, signNote, verifierOf } from "../proof/note.ts";
import type { Timers } from "../time/timers.ts";
import type { CheckpointWriter } from "./checkpoint-writer.ts";
import { CosignedCheckpoints } from "./cosigned-checkpoints.ts";

export interface NotaryOptions {
  readonly log: Log;
  /** Called once, before the first signature. */
  signer(): Promise<Signer>;
  /** The entry that retired a key, as of the tip; the key signs no checkpoint of later entries. */
  retiredAt(key: Signer): number | undefined;
  readonly timers: Timers;
  /** Milliseconds since the epoch; never runs backwards. */
  now(): number;
  /** `undefined` where checkpoints are only signed on request. */
  readonly file: CheckpointWriter | undefined;
  /** Called when the file cannot be written; once, until it could be written again. */
  report(thrown: unknown): void;
}

interface Signed {
  readonly size: number;
  readonly note: string;
}

/** The key that takes over once the log has retired the present one. */
export interface Successor {
  readonly signer: Signer;
  /** Called once, when the notary signs with this key. */
  tookOver(): Promise<void>;
}

/** The delay after an entry until the file's checkpoint covers it: half of the second that docs/operators.md promises. */
const WRITE_AFTER_MS = 500;

export class Notary implements Proofs {
  readonly cosigned = new CosignedCheckpoints();
  readonly #options: NotaryOptions;
  #signer: Promise<Signer> | undefined;
  #successor: Successor | undefined;
  #latest: Signed | undefined;
  /** The latest signing, perhaps still under way; and the one after it, which all calls share that come meanwhile. */
  #turn: Promise<unknown> = Promise.resolve();
  #next: Promise<Signed> | undefined;
  /** The latest checkpoint's `at`, also if an earlier start signed it: `at` never runs backwards. */
  #at = 0;
  #written: Signed | undefined;
  #writing: Promise<void> | undefined;
  #stopTimer: (() => void) | undefined;
  #failing = false;
  #stopped = false;

  constructor(options: NotaryOptions) {
    this.#options = options;
  }

  get log(): string {
    return this.#options.log.id;
  }

  get restorations(): readonly Restoration[] {
    return this.#options.log.restorations;
  }

  get tree(): LogTree {
    return this.#options.log.tree;
  }

  /** How many entries the newest checkpoint covers. */
  get covered(): number {
    return this.#latest?.size ?? 0;
  }

  /** The verifier key of the key in force. */
  async verifierKey(): Promise<string> {
    return formatVerifierKey(await this.#key());
  }

  /** The next key. It takes over once the entry that retires the present key is durable. */
  set successor(successor: Successor) {
    this.#successor = successor;
  }

  /** Goes on from the checkpoint that an earlier start left in the file. */
  async start(): Promise<void> {
    const { file, log } = this.#options;
    if (log.damage !== undefined) return;
    const before = file && (await this.#before(file));
    if (before !== undefined) this.#at = before.at;
    if (this.#successor !== undefined) await this.checkpoint();
    if (log.head > 0) this.committed();
  }

  /** Entries became durable. */
  committed(): void {
    // The rotation takes place at the next signature, so one is made even if nobody asks for a checkpoint.
    if (this.#successor !== undefined) void this.checkpoint().catch(() => {});
    if (this.#options.file === undefined || this.#stopTimer !== undefined || this.#stopped) return;
    this.#stopTimer = this.#options.timers.after(WRITE_AFTER_MS, () => {
      this.#stopTimer = undefined;
      void this.written();
    });
  }

  /** @throws FaultError LOG_DAMAGED */
  async checkpoint(): Promise<string> {
    return (await this.#covering(this.#options.log.head)).note;
  }

  /** Resolves once the file covers all entries that are durable now, or could not be written: that is reported, and tried again. */
  async written(): Promise<void> {
    try {
      await this.#covering(this.#options.log.head);
      await this.#write();
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  /** Stops the timer: from now on checkpoints are only signed on request. */
  abandon(): void {
    this.#stopped = true;
    this.#stopTimer?.();
  }

  /** Writes the last checkpoint. The log is still open. */
  async stop(): Promise<void> {
    this.abandon();
    if (this.#options.file !== undefined && this.#options.log.damage === undefined) await this.written();
  }

  async #covering(size: number): Promise<Signed> {
    if (this.#latest !== undefined && this.#latest.size >= size) return this.#latest;
    // One signing at a time: all calls that come during one share the next.
    this.#next ??= this.#inTurn(() => {
      this.#next = undefined;
      return this.#sign();
    });
    const signed = await this.#next;
    if (this.#options.file !== undefined) void this.#write();
    return signed;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #sign(): Promise<Signed> {
    const { log, retiredAt } = this.#options;
    if (log.damage !== undefined) {
      const text = `the log is damaged, and is not signed: ${log.damage.damaged.join("; ")}`;
      throw new FaultError(fault("LOG_DAMAGED", text));
    }
    const size = log.head;
    const until = retiredAt(await this.#key());
    if (until === undefined || until > size) return this.#signed(size);
    await this.#succeed(until);
    return this.#signed(size);
  }

  /** The old key's last checkpoint ends with the entry that retires the key. */
  async #succeed(until: number): Promise<void> {
    const successor = this.#successor;
    if (successor === undefined) {
      throw new FaultError(
        fault("KEY_RETIRED", `this node's key was retired by entry ${until}, and there is no other`),
      );
    }
    if (this.#latest?.size !== until) await this.#signed(until);
    await this.#write();
    this.#signer = Promise.resolve(successor.signer);
    this.#successor = undefined;
    await successor.tookOver();
  }

  async #signed(size: number): Promise<Signed> {
    const { log } = this.#options;
    const root = await log.tree.root(size);
    this.#at = Math.max(this.#at, this.#options.now());
    const last = this.restorations.at(-1);
    const restored = last && { epoch: last.epoch, size: last.size, root: Buffer.from(last.root, "base64") };
    const text = formatCheckpoint({
      ...{ log: log.id, size, root, epoch: log.epoch, at: this.#at },
      ...(restored === undefined ? {} : { restored }),
    });
    const signed = { size, note: await signNote(text, await this.#key()) };
    this.#latest = signed;
    return signed;
  }

  #key(): Promise<Signer> {
    this.#signer ??= this.#options.signer();
    return this.#signer;
  }

  /** One write at a time; a checkpoint that is signed meanwhile is written next. */
  async #write(): Promise<void> {
    const { file } = this.#options;
    if (file === undefined || this.#latest === this.#written) return;
    this.#writing ??= this.#writeAll(file);
    await this.#writing;
  }

  async #writeAll(file: CheckpointWriter): Promise<void> {
    try {
      for (let latest = this.#latest; latest !== undefined && latest !== this.#written; latest = this.#latest) {
        await file.write(latest.note);
        this.#written = latest;
        this.#failing = false;
      }
    } catch (thrown) {
      this.#failed(thrown);
    } finally {
      this.#writing = undefined;
    }
  }

  #failed(thrown: unknown): void {
    if (!this.#failing) this.#options.report(thrown);
    this.#failing = true;
    this.committed();
  }

  /** The checkpoint that an earlier start left, if this key signed it for this log. */
  async #before(file: CheckpointWriter) {
    try {
      const note = await file.read();
      if (note === undefined) return undefined;
      const checkpoint = await verifyCheckpoint(note, [verifierOf(await this.#key())]);
      return checkpoint.log === this.#options.log.id ? checkpoint : undefined;
    } catch {
      // Signed by another key, or no checkpoint: it is ignored, and replaced by the next.
      return undefined;
    }
  }
}
