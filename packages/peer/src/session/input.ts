// What can happen to a session. The names are RFC 4271 §8.1's events, whose numbers stand beside them.

import type {
  Close,
  EndOfTable,
  Keepalive,
  Message,
  Notification,
  Open,
  Outgoing,
  Proof,
  RawUpdate,
  RouteRefresh,
} from "../wire/message.ts";
import type { Complaint } from "../wire/notification-codes.ts";
import type { ConnectionId } from "./session.ts";

/** What can happen to a session. */
export type SessionInput =
  | { readonly type: "manual-start" } // 1, and 4 where the peer is passive
  /** 2. */
  | { readonly type: "manual-stop"; readonly complaint: Complaint; readonly text: string }
  /** Our node goes and comes back: a close that keeps the routes (RFC 4724's planned restart). */
  | { readonly type: "going-down" }
  /** 8: a limit was passed. With `restartAfter` (ms) it starts again by itself, else it stays idle until a manual start. */
  | {
      readonly type: "automatic-stop";
      readonly complaint: Complaint;
      readonly text: string;
      readonly restartAfter: number | undefined;
    }
  | { readonly type: "connect-retry-timer-expires" } // 9
  | { readonly type: "hold-timer-expires" } // 10
  | { readonly type: "keepalive-timer-expires" } // 11
  | { readonly type: "delay-open-timer-expires" } // 12
  | { readonly type: "idle-hold-timer-expires" } // 13
  /** 16: the connection that we dialled is there. */
  | { readonly type: "connection-made"; readonly connection: ConnectionId }
  /** 17: a connection that was dialled to us, given to an acceptor's session that has none. */
  | { readonly type: "connection-accepted"; readonly connection: ConnectionId }
  | { readonly type: "connection-fails"; readonly text: string } // 18
  | { readonly type: "open"; readonly message: Open } // 19, and 20 in Active
  | { readonly type: "proof"; readonly message: Proof } // ours
  | { readonly type: "keepalive"; readonly message: Keepalive } // 26
  | { readonly type: "update"; readonly message: RawUpdate } // 27
  | { readonly type: "end-of-table"; readonly message: EndOfTable } // RFC 4724
  | { readonly type: "route-refresh"; readonly message: RouteRefresh } // RFC 2918
  | { readonly type: "notification"; readonly message: Notification } // 24, 25
  | { readonly type: "close"; readonly message: Close } // ours
  /** 21, 22: what came is no message (wire/read-message.ts says why). */
  | { readonly type: "malformed-message"; readonly complaint: Complaint; readonly text: string }
  /** 28: an update that cannot be treated as withdrawals. */
  | { readonly type: "update-error"; readonly complaint: Complaint; readonly text: string }
  | { readonly type: "collision-dump" } // 23
  /** Ours: the RIB has something for the peer, or somebody wants it kept alive before its time. */
  | { readonly type: "send"; readonly message: AskedMessage };

/** What a session sends because somebody asks for it; everything else it says by itself. */
export type AskedMessage = Extract<
  Outgoing,
  { readonly type: "update" | "end-of-table" | "route-refresh" | "keepalive" }
>;

/** What a message from the peer is to its session. */
export function messageInput(message: Message): SessionInput {
  switch (message.type) {
    case "open":
      return { type: "open", message };
    case "proof":
      return { type: "proof", message };
    case "keepalive":
      return { type: "keepalive", message };
    case "update":
      return { type: "update", message };
    case "end-of-table":
      return { type: "end-of-table", message };
    case "route-refresh":
      return { type: "route-refresh", message };
    case "notification":
      return { type: "notification", message };
    case "close":
      return { type: "close", message };
    default:
      return message satisfies never;
  }
}

export type SessionInputType = SessionInput["type"];

/** All types of inputs. */
export const SESSION_INPUTS = [
  "manual-start",
  "manual-stop",
  "going-down",
  "automatic-stop",
  "connect-retry-timer-expires",
  "hold-timer-expires",
  "keepalive-timer-expires",
  "delay-open-timer-expires",
  "idle-hold-timer-expires",
  "connection-made",
  "connection-accepted",
  "connection-fails",
  "open",
  "proof",
  "keepalive",
  "update",
  "end-of-table",
  "route-refresh",
  "notification",
  "close",
  "malformed-message",
  "update-error",
  "collision-dump",
  "send",
] as const satisfies readonly SessionInputType[];
