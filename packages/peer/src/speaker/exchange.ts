// What established sessions carry: updates into the RIB, and from the RIB into updates. Of sessions it knows only whether they are
// established; sending, and telling of events, is the speaker's (`ExchangePort`).

import type { NeighborInput } from "../neighbor/neighbor.ts";
import type { Rib } from "../rib/rib.ts";
import type { SessionEffect } from "../session/effect.ts";
import { type Message, type RouteRefresh, UPDATE_ROUTES } from "../wire/message.ts";
import type { NodeId } from "../wire/names.ts";
import { FRAME_BYTES } from "../wire/read-message.ts";
import { readUpdate } from "../wire/read-update.ts";
import type { Deferral } from "./deferral.ts";
import { packUpdates } from "./pack-updates.ts";
import { type Peering, ROUTE_REFRESH } from "./peering.ts";
import type { At, SpeakerConfig } from "./speaker-config.ts";
import type { SpeakerEvent } from "./speaker-effect.ts";

type Of<T extends SessionEffect["type"]> = Extract<SessionEffect, { readonly type: T }>;

/** Milliseconds between two full tables to one peer: a request takes 60 bytes, a table megabytes. Requests in between count as one. */
const REFRESH_INTERVAL = 10_000;
/** The longest that stale routes are kept, in milliseconds (RFC 4724 §4.2 allows such a bound): calls over them fail for that long. */
const LONGEST_KEPT = 10 * 60_000;

/**
 * How many routes of a table are sent in one step. Between steps the frames leave, the receiver reads them, and other peers get their turn.
 */
const ROUTES_AT_ONCE = 2048;

/** What it needs of the speaker. */
export interface ExchangePort {
  step(node: NodeId, input: NeighborInput): void;
  tell(event: SpeakerEvent): void;
}

export class Exchange {
  readonly #rib: Rib;
  readonly #deferral: Deferral;
  readonly #config: Pick<SpeakerConfig, "timing" | "updateRoutes">;
  readonly #port: ExchangePort;

  constructor(
    rib: Rib,
    deferral: Deferral,
    config: Pick<SpeakerConfig, "timing" | "updateRoutes">,
    port: ExchangePort,
  ) {
    this.#rib = rib;
    this.#deferral = deferral;
    this.#config = config;
    this.#port = port;
  }

  begin(peering: Peering, { connection, agreed }: Of<"established">, at: At): void {
    const { node } = peering.config;
    peering.establish(agreed, at.now);
    // RFC 4724 §4.2: without graceful restart none of the peer's stale routes are kept.
    if (agreed.restartTime === undefined) this.#rib.closePeer(node, undefined, at);
    this.#rib.openPeer(peering.ribPeer(), at);
    this.#deferral.met(node, agreed);
    this.#port.tell({ kind: "established", peer: node, connection, agreed });
  }

  end(peering: Peering, { graceful, reason }: Of<"down">, at: At): void {
    const { node } = peering.config;
    const { restartTime, holdTime } = (graceful ? peering.agreed : undefined) ?? {
      restartTime: undefined,
      holdTime: 0,
    };
    // RFC 4271 §4.4: a live peer is heard in each third of the hold time. A longer silence counts towards the restart time that it asked for: it
    // may have been gone since it was last heard. That also covers the case that this process was suspended, and notices only now.
    const unheard = at.now - peering.heardAt;
    const silence = unheard > holdTime / 3 ? unheard : 0;
    const keep = restartTime === undefined ? 0 : Math.min(restartTime, LONGEST_KEPT) - silence;
    peering.agreed = undefined;
    this.#rib.closePeer(node, keep > 0 ? at.now + keep : undefined, at);
    this.#port.tell({ kind: "down", peer: node, graceful, reason });
  }

  receive(peering: Peering, message: Of<"deliver">["message"], at: At): void {
    switch (message.type) {
      case "update":
        this.#update(peering, message, at);
        break;
      case "end-of-table":
        this.#rib.endOfTable(peering.config.node, at);
        this.#deferral.heard(peering.config.node);
        break;
      case "route-refresh":
        this.#refreshMessage(peering, message, at);
        break;
      default:
        message satisfies never;
    }
  }

  /** The next time at which `send` has something to do. */
  deadline(peering: Peering): number | undefined {
    if (peering.agreed === undefined) return undefined;
    const refresh = peering.refreshOwed ? peering.refreshedAt + REFRESH_INTERVAL : Number.POSITIVE_INFINITY;
    // RFC 4271 §9.2.1.1: not before the interval since the last update to that peer is over.
    const update = this.#rib.pending(peering.config.node)
      ? peering.sentAt + this.#config.timing.advertisementInterval
      : Number.POSITIVE_INFINITY;
    const earliest = Math.min(refresh, update);
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  /** Sends what the peer has not been told yet, if it is time. */
  send(peering: Peering, at: At): void {
    const { node } = peering.config;
    if (this.#rib.wantsRefresh(node)) this.#send(node, { type: "route-refresh", phase: "request" });
    if ((this.deadline(peering) ?? Number.POSITIVE_INFINITY) > at.now) return;
    this.#refresh(peering, at);
    if (peering.sentAt + this.#config.timing.advertisementInterval > at.now) return;
    peering.sentAt = at.now;
    let routes = 0;
    while (this.#rib.pending(node)) {
      if (routes >= ROUTES_AT_ONCE) {
        // The next step is due at once.
        peering.sentAt -= this.#config.timing.advertisementInterval;
        break;
      }
      const most = Math.min(this.#config.updateRoutes, UPDATE_ROUTES);
      const { withdraw, announce, endOfTable } = this.#rib.take(node, most);
      routes += most;
      for (const update of packUpdates(withdraw, announce, FRAME_BYTES.proved)) this.#send(node, update);
      if (endOfTable) this.#send(node, { type: "end-of-table" });
    }
  }

  #update(peering: Peering, message: Extract<Message, { type: "update" }>, at: At): void {
    const { node, limits } = peering.config;
    const reading = readUpdate(message, limits);
    if (!reading.ok) {
      const connection = peering.neighbor.current;
      if (connection === undefined) return;
      const { complaint, text } = reading;
      this.#port.step(node, { type: "update-error", connection, complaint, text });
      return;
    }
    const { malformed, limit, ...counts } = this.#rib.receive(node, reading.update, at);
    let malformedRoutes = 0;
    for (const { routes } of malformed) malformedRoutes += routes;
    this.#port.tell({ kind: "updated", peer: node, seq: message.seq, ...counts, malformed: malformedRoutes });
    for (const { routes, text } of malformed) this.#port.tell({ kind: "malformed", peer: node, routes, text });
    if (limit === undefined) return;
    this.#port.tell({ kind: "limit", peer: node, then: limit, routes: limits.routes.routes });
    if (limit === "warn" || limit === "drop") return;
    this.#port.step(node, {
      type: "limit",
      complaint: { code: "cease", subcode: "too-many-routes" },
      text: `more than ${limits.routes.routes} routes`,
      restartAfter: limit === "restart" ? limits.routes.restartAfter : undefined,
    });
  }

  /** The peer asked for its table again, and it is time. */
  #refresh(peering: Peering, { now }: At): void {
    if (!peering.refreshOwed || peering.refreshedAt + REFRESH_INTERVAL > now) return;
    peering.refreshOwed = false;
    peering.refreshedAt = now;
    const { node } = peering.config;
    this.#send(node, { type: "route-refresh", phase: "begin" });
    this.#rib.resend(node);
  }

  #refreshMessage(peering: Peering, { phase }: RouteRefresh, at: At): void {
    if (phase === "begin") this.#rib.refreshBegins(peering.config.node, at);
    else if (peering.agreed?.capabilities.some(({ name }) => name === ROUTE_REFRESH)) peering.refreshOwed = true;
  }

  #send(node: NodeId, message: Extract<NeighborInput, { type: "send" }>["message"]): void {
    this.#port.step(node, { type: "send", message });
  }
}
