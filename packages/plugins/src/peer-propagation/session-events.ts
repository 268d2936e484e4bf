// Passes on what the speaker reports of sessions: to the node's log lines, into messages of the node's own, and to companions (companion.ts).

import type { PluginRuntime } from "@capstan/orchestrator";
import type { ConnectionId, SpeakerEvent } from "@capstan/peer";
import type { Companion } from "./companion.ts";
import type { Courses } from "./courses.ts";
import { FewLines } from "./few-lines.ts";
import { AcceptedLink } from "./links/acceptor.ts";
import type { Link } from "./links/link.ts";
import type { Names } from "./names.ts";
import { reasonText } from "./reason-text.ts";
import { isUndone } from "./thrown.ts";

export interface SessionEventsParts {
  readonly runtime: PluginRuntime;
  readonly names: Names;
  readonly courses: Courses;
  readonly companions: readonly Companion[];
  link(connection: ConnectionId): Link | undefined;
  /** The connection of a node's session now. */
  connectionOf(node: string): ConnectionId | undefined;
}

export class SessionEvents {
  readonly #parts: SessionEventsParts;
  readonly #lines: FewLines;

  constructor(parts: SessionEventsParts) {
    this.#parts = parts;
    this.#lines = new FewLines(parts.runtime);
  }

  tell(event: SpeakerEvent): void {
    const { runtime, names, courses, companions } = this.#parts;
    const { log } = runtime;
    switch (event.kind) {
      case "established":
        this.#established(event);
        break;
      case "down": {
        const { peer, graceful } = event;
        const reason = reasonText(event.reason);
        const name = names.nameOf(peer);
        log.info({ peer, name, graceful, reason }, "a session with a peer ended");
        if (name === undefined) break;
        const at = runtime.now();
        courses.note(name, { since: at, reason, reasonAt: at, heard: false, told: false });
        this.#notedSession(name, peer, undefined);
        this.#noted("lost", { name, node: peer, graceful, reason });
        for (const companion of companions) companion.lost?.({ name, node: peer });
        break;
      }
      case "session": {
        const reason = reasonText(event.reason);
        log.debug({ peer: event.peer, reason }, "a session with a peer did not come about");
        const name = names.nameOf(event.peer);
        if (name !== undefined) this.explain(name, reason);
        names.failed(event.peer);
        const rewound = event.reason.kind === "complained" ? event.reason.rewound : undefined;
        if (name === undefined || rewound === undefined) break;
        for (const companion of companions) companion.rewound?.({ name, node: event.peer }, rewound);
        break;
      }
      case "refused":
        this.#lines.warn("refused", { ...event }, "somebody was refused who wanted to peer");
        break;
      case "limit":
        this.#lines.warn(`limit ${event.peer}`, { ...event }, "a peer has more routes than it may, or nearly");
        break;
      case "updated": {
        const name = names.nameOf(event.peer);
        if (name === undefined) break;
        for (const companion of companions) companion.updated?.({ name, node: event.peer }, event);
        break;
      }
      case "malformed":
        this.#lines.warn(`malformed ${event.peer}`, { ...event }, "malformed routes of a peer count as withdrawn");
        break;
      case "not-offered":
        log.warn({ text: event.text }, "what this node has cannot be offered to peers");
        break;
      default:
        event satisfies never;
    }
  }

  /** Notes why a peer's last session ended, or could not be made. */
  explain(name: string, reason: string): void {
    this.#parts.courses.note(name, { reason, reasonAt: this.#parts.runtime.now() });
  }

  #established({ peer, connection, agreed }: Extract<SpeakerEvent, { kind: "established" }>): void {
    const { runtime, names, courses, companions } = this.#parts;
    if (!names.established(peer)) return;
    const name = names.nameOf(peer) as string;
    const link = this.#parts.link(connection);
    if (link instanceof AcceptedLink) link.proved();
    const { domain, epoch } = agreed;
    runtime.log.info({ peer, name, domain }, "a session with a peer was established");
    courses.note(name, { since: runtime.now(), heard: false, told: false });
    this.#notedSession(name, peer, connection);
    const dialled = link?.dialled ?? false;
    this.#noted("established", { name, node: peer, session: connection, domain, epoch, dialled });
    for (const companion of companions) companion.established?.({ name, node: peer });
  }

  #notedSession(name: string, node: string, connection: ConnectionId | undefined): void {
    const { runtime } = this.#parts;
    const data = { name, session: connection ?? null };
    runtime.note({ resource: "peer", action: "session", data }).catch((thrown: unknown) => {
      // The append failed and the note was undone: it is made again, with the state as it is now.
      if (isUndone(thrown)) this.#notedSession(name, node, this.#parts.connectionOf(node));
      else runtime.log.error({ error: String(thrown) }, "a session could not be noted");
    });
  }

  #noted(action: string, data: unknown): void {
    const { runtime } = this.#parts;
    runtime
      .note({ resource: "peer", action, data })
      .catch((thrown: unknown) => runtime.log.error({ error: String(thrown) }, "a session could not be noted"));
  }
}
