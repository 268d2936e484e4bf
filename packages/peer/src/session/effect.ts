// What a step wants done. A session does nothing itself: whoever holds the connection carries these out, in order.

import type { EndOfTable, Message, RawUpdate, RouteRefresh } from "../wire/message.ts";
import type { Reason } from "./reason.ts";
import type { Agreed, ConnectionId } from "./session.ts";

/** What a session wants done. */
export type SessionEffect =
  /** Make a connection; answered by `connection-made` or `connection-fails`. */
  | { readonly type: "dial" }
  | { readonly type: "send"; readonly connection: ConnectionId; readonly message: Message }
  /** Close it once what was sent before is out. No input of it is awaited any more. */
  | { readonly type: "disconnect"; readonly connection: ConnectionId }
  /** An attempt at a connection that is still being made is not wanted any more. */
  | { readonly type: "abandon-dial" }
  /** Proved on both sides: the table can be sent. */
  | { readonly type: "established"; readonly connection: ConnectionId; readonly agreed: Agreed }
  /** What was established is over. `graceful`: the peer's routes are to be kept as stale for `restartTime` (RFC 4724, RFC 8538). */
  | { readonly type: "down"; readonly connection: ConnectionId; readonly graceful: boolean; readonly reason: Reason }
  /** For the RIB. */
  | { readonly type: "deliver"; readonly message: RawUpdate | EndOfTable | RouteRefresh };
