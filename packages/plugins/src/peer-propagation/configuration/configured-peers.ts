// Brings configured peers into the speaker: follows the durable rows, one change of a peer after another. Secrets are read here, when they are
// needed.

import type { FollowedRow, PluginRuntime } from "@capstan/orchestrator";
import type { Names } from "../names.ts";
import type { PeerHost } from "../peer-host.ts";
import { type PeerRow, peerTable } from "../schema.ts";
import { textOf } from "../thrown.ts";
import { type Guest, Invitations } from "./invitations.ts";
import { configOf } from "./peer-config.ts";
import type { PeerSecrets } from "./secrets.ts";

interface Known {
  /** The row as the speaker has it; `undefined` where it has none yet. */
  row: PeerRow | undefined;
  /** The secrets that it was last configured with. */
  secrets?: readonly Uint8Array[];
  /** Resolves when the present change is done. */
  work: Promise<void>;
}

export class ConfiguredPeers implements Names {
  readonly #runtime: PluginRuntime;
  readonly #secrets: PeerSecrets;
  readonly #host: () => PeerHost;
  readonly #known = new Map<string, Known>();
  readonly #byNode = new Map<string, string>();
  readonly #invitations = new Invitations();
  readonly #rows = new Map<string, PeerRow>();
  #swept = false;

  constructor(runtime: PluginRuntime, secrets: PeerSecrets, host: () => PeerHost) {
    this.#runtime = runtime;
    this.#secrets = secrets;
    this.#host = host;
  }

  nameOf(node: string): string | undefined {
    return this.#byNode.get(node) ?? this.#invitations.get(node)?.name;
  }

  /** Durable rows of the table of peers. */
  changed(rows: readonly FollowedRow[]): void {
    for (const { key, row } of rows) this.#change(key, row as PeerRow | undefined);
    if (this.#swept) return;
    this.#swept = true;
    this.#cleaned(this.#secrets.sweep(this.#referred(), this.#runtime.node.directory));
  }

  /** Resolves once the peer that a hello names, if it is one, is configured with all that is durable. */
  async settled(hello: unknown): Promise<void> {
    const { node } = Object(hello) as { readonly node?: unknown };
    for (const [name, row] of this.#rows) if (row.node === node) await this.#known.get(name)?.work;
  }

  /** A hello has come: if it names an open invitation, its sender becomes a guest who may try the handshake. */
  async welcome(hello: unknown): Promise<void> {
    const { reader } = this.#runtime;
    const guest = this.#invitations.find(hello, reader.rows(peerTable), this.#runtime.now());
    if (guest === undefined || guest.node === this.#runtime.node.id || this.#byNode.has(guest.node)) return;
    const row = reader.get(peerTable, guest.name);
    if (row === undefined) return;
    const secrets = await this.#read(row);
    if (secrets === undefined || this.#byNode.has(guest.node)) return;
    const crowded = this.#invitations.let(guest);
    if (crowded !== undefined) this.#host().tell({ type: "remove-peer", node: crowded.node });
    const identity = { node: guest.node, keys: [guest.key] };
    this.#host().tell({ type: "configure-peer", peer: configOf({ ...row, address: undefined }, identity, secrets) });
  }

  established(node: string): boolean {
    const guest = this.#invitations.get(node);
    return guest === undefined || this.#accept(guest);
  }

  failed(node: string): void {
    if (this.#invitations.get(node) === undefined || this.#byNode.has(node)) return;
    // Another of its connections may still prove it: the guest is dropped only with the last one.
    const { accepted } = this.#host().speaker.peering(node)?.neighbor ?? {};
    if (accepted !== undefined && accepted.size > 0) return;
    this.#invitations.end(node);
    this.#host().tell({ type: "remove-peer", node });
  }

  /** The guest has proved the secret and its key: that key is pinned from now on. */
  #accept({ name, node, key, secret }: Guest): boolean {
    const { reader, log } = this.#runtime;
    this.#runtime
      .note({ resource: "peer", action: "accept", data: { name, node, key, secret } })
      .catch((thrown: unknown) => {
        log.warn({ name, node, error: textOf(thrown) }, "an invitation was not taken");
        // The append failed and the acceptance was undone: the guest is no peer.
        if (this.#byNode.get(node) !== name || reader.get(peerTable, name)?.node === node) return;
        this.#byNode.delete(node);
        this.#host().tell({ type: "remove-peer", node });
      });
    // It is decided, though perhaps not durable yet: frames wait for that.
    const row = reader.get(peerTable, name);
    this.#invitations.end(node);
    if (row?.node !== node) {
      this.#host().tell({ type: "remove-peer", node });
      return false;
    }
    this.#byNode.set(node, name);
    const known = this.#known.get(name);
    if (known !== undefined) known.row = row;
    return true;
  }

  #change(name: string, row: PeerRow | undefined): void {
    const before = this.#rows.get(name);
    if (row === undefined) this.#rows.delete(name);
    else this.#rows.set(name, row);
    const used = this.#referred();
    const dropped = before?.secrets.map(({ secret }) => secret).filter((secret) => !used.has(secret)) ?? [];
    if (dropped.length > 0) this.#cleaned(this.#secrets.forget(dropped, this.#runtime.node.directory));
    const known = this.#known.get(name) ?? { row: undefined, work: Promise.resolve() };
    this.#known.set(name, known);
    known.work = known.work
      .then(() => this.#apply(name, known, row))
      .catch((thrown: unknown) => {
        this.#runtime.log.error({ name, error: String(thrown) }, "a peer could not be configured");
      });
  }

  #referred(): ReadonlySet<string> {
    return new Set([...this.#rows.values()].flatMap(({ secrets }) => secrets.map(({ secret }) => secret)));
  }

  #cleaned(work: Promise<void>): void {
    work.catch((thrown: unknown) => {
      this.#runtime.log.warn({ error: textOf(thrown) }, "secrets that no peer has any more could not be deleted");
    });
  }

  async #apply(name: string, known: Known, row: PeerRow | undefined): Promise<void> {
    const host = this.#host();
    const before = known.row;
    if (before?.node !== undefined && before.node !== row?.node) {
      known.row = undefined;
      // Unless the node is a peer under another name by now.
      if (this.#byNode.get(before.node) === name) {
        host.tell({ type: "remove-peer", node: before.node });
        this.#byNode.delete(before.node);
      }
    }
    if (row === undefined) {
      host.forget(name);
      if (this.#known.get(name) === known && known.row === undefined) this.#known.delete(name);
      return;
    }
    const { node } = row;
    if (node === undefined) return;
    // After a start nothing is in flight that a draining peer should wait for.
    if (row.stopped || (row.draining !== undefined && known.row === undefined)) {
      this.#byNode.set(node, name);
      if (known.row !== undefined && !known.row.stopped) host.tell({ type: "stop-peer", node });
      if (known.row !== undefined) known.row = row;
      return;
    }
    const read = await this.#read(row);
    // A later row is handled next, and may have been handled already under another name.
    if (this.#rows.get(name) !== row) return;
    this.#byNode.set(node, name);
    const secrets = read ?? (sameSecrets(known.row, row) ? known.secrets : undefined);
    if (secrets === undefined) {
      // The former configuration no longer holds, and the new one is not possible.
      if (known.row !== undefined && !known.row.stopped) host.tell({ type: "stop-peer", node });
      if (known.row !== undefined) known.row = { ...row, stopped: true };
      return;
    }
    known.secrets = secrets;
    const started = known.row === undefined || known.row.stopped || sameBut(known.row, row);
    const revoked = known.row !== undefined && known.row.peerGrant !== row.peerGrant;
    const fresh = known.row === undefined;
    known.row = row;
    host.tell({ type: "configure-peer", peer: configOf(row, { node, keys: row.keys }, secrets) });
    if (started && !fresh) host.tell({ type: "start-peer", node });
    const link = host.linkOf(node);
    // The present session's scope uses the former grant; the next one has the new.
    if (revoked && link !== undefined) host.drop(link.connection, "what it may ask of us was changed");
  }

  async #read(row: PeerRow): Promise<readonly Uint8Array[] | undefined> {
    const { node, log } = this.#runtime;
    try {
      return await this.#secrets.read(row.secrets, node.directory, (right) => this.#runtime.allows(right, row));
    } catch (thrown) {
      const text = textOf(thrown);
      log.error({ name: row.name, error: text }, "a peer's secret could not be read; peer.start tries it again");
      this.#host().explain(row.name, text);
      return undefined;
    }
  }
}

function sameSecrets(before: PeerRow | undefined, { secrets }: PeerRow): boolean {
  return before !== undefined && JSON.stringify(before.secrets) === JSON.stringify(secrets);
}

/** Whether only the revision changed: the operator repeated the configuration to have the peer tried again. */
function sameBut(before: PeerRow, after: PeerRow): boolean {
  return (
    before.revision !== after.revision &&
    JSON.stringify({ ...before, revision: 0 }) === JSON.stringify({ ...after, revision: 0 })
  );
}
