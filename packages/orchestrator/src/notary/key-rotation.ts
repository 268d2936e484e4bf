// Key rotation. `key.rotate` owes an effect that makes the new key and lets both keys sign a statement; `key.rotated` records
// the statement. Once that entry is durable, the notary signs with the new key and the key files are swapped. After a crash, the
// next start continues the rotation.

import { FaultError, fault } from "../fault/fault.ts";
import type { Log } from "../log/log.ts";
import { entryNumberOf } from "../message/definition.ts";
import type { Message } from "../message/message.ts";
import { effectTable, type NodeKeyRow, nodeKeyTable } from "../pipeline/kernel-tables.ts";
import type { EffectHandler, LostEffect, OwedEffect, PluginContext } from "../plugin/plugin.ts";
import { done, refuse } from "../plugin/result.ts";
import { formatVerifierKey, parseVerifierKey, type Signer, type VerifierKey } from "../proof/note.ts";
import type { BaseTables, State } from "../state/state.ts";
import type { NodeSigner } from "./node-signer.ts";
import type { Notary } from "./notary.ts";
import { signRotation } from "./rotation-statement.ts";

export const ROTATE_KEY = "rotateKey";
/** The fact whether the node that receives the message has a key that can be rotated. */
export const ROTATABLE = "key.rotatable";

export interface Rotated {
  /** The id of the `key.rotate` whose outcome this is. */
  readonly id: string;
  /** Verifier keys. */
  readonly old: string;
  readonly new: string;
  /** The note that both keys signed (rotation-statement.ts). */
  readonly statement: string;
}

/** A key's name in the table: the public key, in base64url. */
export function rowKeyOf({ publicKey }: Pick<VerifierKey, "publicKey">): string {
  return Buffer.from(publicKey).toString("base64url");
}

/** The state in which `key` is the node's one key, from `entry` on. */
export function admitted(state: State, node: string, key: string, entry: number): State {
  let after = state;
  for (const [name, row] of state.rows(nodeKeyTable)) {
    if (row.node === node && row.until === undefined && name !== key)
      after = after.put(nodeKeyTable, name, { ...row, until: entry });
  }
  return after.put(nodeKeyTable, key, { node, from: entry });
}

export function decideRotate({ envelope, state }: PluginContext) {
  if (envelope.facts[ROTATABLE] !== true) {
    return refuse("KEY_FIXED", "this node was started with a key that is not kept in files; only those can be rotated");
  }
  for (const [, { plugin, kind, node, owing }] of state.rows(effectTable)) {
    if (plugin === "kernel" && kind === ROTATE_KEY && node === envelope.node)
      return refuse("KEY_ROTATING", `the key is being rotated already, by ${owing}; attach to that`);
  }
  return done({ pending: true, effects: [{ kind: ROTATE_KEY, data: {}, replayable: true }] });
}

export function decideRotated({ message, envelope, state }: PluginContext) {
  const data = message.data as Rotated;
  const old = rowKeyOf(parseVerifierKey(data.old));
  const key = rowKeyOf(parseVerifierKey(data.new));
  const row = state.get(nodeKeyTable, old);
  if (row?.node !== envelope.node || row.until !== undefined || state.get(nodeKeyTable, key) !== undefined)
    return refuse("OUTCOME_STALE", `the key ${data.old} is not the node's any more`);
  const entry = entryNumberOf(envelope);
  return done({
    state: admitted(state, envelope.node, key, entry),
    settles: [{ id: data.id, data: { node: envelope.node, key: data.new, entry } }],
  });
}

export interface KeyRotationParts {
  readonly log: Log;
  /** `undefined` where the node was given none. */
  readonly signer: NodeSigner | undefined;
  // Functions, because tables and notary are made after the kernel's plugin, which contains this.
  tables(): BaseTables;
  notary(): Notary;
  report(thrown: unknown): void;
}

/** The node's key in force, and its rotation while the node runs. */
export class KeyRotation implements EffectHandler {
  readonly #parts: KeyRotationParts;
  #signer: NodeSigner | undefined;

  constructor(parts: KeyRotationParts) {
    this.#parts = parts;
    this.#signer = parts.signer;
  }

  /** The key in force; `undefined` where the node was given none. */
  get signer(): NodeSigner | undefined {
    return this.#signer;
  }

  get possible(): boolean {
    return this.#parts.signer?.succession !== undefined;
  }

  /** The key in force, as the key of its row; `undefined` where the node was given none. */
  get admits(): string | undefined {
    return this.#signer === undefined ? undefined : rowKeyOf(this.#signer);
  }

  retiredAt(key: Signer): number | undefined {
    return this.#row(key)?.until;
  }

  /**
   * Continues a rotation that a crash interrupted: a new key that the log has admitted takes over, one that it has not is discarded.
   * @throws FaultError KEY_RETIRED where the node has only a key that the log has retired
   */
  async resume(): Promise<void> {
    const { signer, log } = this.#parts;
    // A damaged log cannot tell which key is in force.
    if (signer === undefined || log.damage !== undefined) return;
    const next = await signer.succession?.made();
    const row = next && this.#row(next);
    if (next !== undefined && row === undefined) await signer.succession?.discard();
    if (next !== undefined && row !== undefined && row.until === undefined) this.#follow(next);
    else if (this.retiredAt(signer) !== undefined) throw new FaultError(retired(signer, this.retiredAt(signer) ?? 0));
  }

  async carryOut({ owing }: OwedEffect): Promise<Message> {
    const { signer, log } = this.#parts;
    const old = this.#signer;
    if (old === undefined || signer?.succession === undefined)
      throw new FaultError(fault("KEY_FIXED", "this node's key is not kept in files"));
    let next = await signer.succession.next();
    if (rowKeyOf(next) === rowKeyOf(old)) {
      // The new key is in force already; only its file has not been moved to its place.
      await signer.succession.promote();
      next = await signer.succession.next();
    }
    const statement = await signRotation(log.id, old, next);
    this.#follow(next);
    const data = { id: owing, old: formatVerifierKey(old), new: formatVerifierKey(next), statement } satisfies Rotated;
    return { resource: "key", action: "rotated", data };
  }

  failed(effect: Pick<OwedEffect, "owing">, error: { readonly code: string; readonly message: string }): Message {
    return { resource: "message", action: "fail", data: { id: effect.owing, error } };
  }

  lost(effect: LostEffect): Message {
    return this.failed(effect, fault("INTERNAL", "the node died while it rotated its key"));
  }

  #follow(next: NodeSigner): void {
    this.#parts.notary().successor = {
      signer: next,
      tookOver: async () => {
        this.#signer = next;
        try {
          await this.#parts.signer?.succession?.promote();
        } catch (thrown) {
          // The next start, or the next rotation, tries again.
          this.#parts.report(thrown);
        }
      },
    };
  }

  #row(key: Signer): NodeKeyRow | undefined {
    return this.#parts.tables().get(nodeKeyTable, rowKeyOf(key)) as NodeKeyRow | undefined;
  }
}

function retired({ name }: Signer, until: number) {
  const text = `the key of ${name} in node.key was retired by entry ${until} of the log; put the newer one in its place, or remove it to have another made`;
  return fault("KEY_RETIRED", text);
}
