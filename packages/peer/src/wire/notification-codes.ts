// What a notification can say: RFC 4271 §4.5's codes and subcodes by name, RFC 4486's for Cease, RFC 6608's for the state
// machine, and ours where the protocol has something that BGP has not.

/** code → subcode → its number in the RFC ("–" where it is ours), and when. docs/peering-wire.md's table is this one. */
export const notificationCodes = {
  "message-header-error": {
    "not-synchronized": {
      number: "1/1",
      text: "a message's number is not the next one: something was lost, doubled or reordered",
    },
    "bad-message": { number: "1/2", text: "not a message: cut off, too large, or not of the message's form" },
    "bad-message-type": { number: "1/3", text: "no such message" },
  },
  "open-error": {
    "unsupported-version": { number: "2/1", text: "no version in common" },
    "bad-domain": { number: "2/2", text: "the peer is of another domain than it is configured with" },
    "bad-identifier": { number: "2/3", text: "the peer's id is not the one configured, not its key's, or our own" },
    "old-epoch": {
      number: "2/–",
      text: "an earlier incarnation than the peer has proved before: its count of starts went back",
    },
    "unsupported-capability": { number: "2/7", text: "a capability that we require is missing" },
    "unacceptable-hold-time": { number: "2/6", text: "a hold time of one or two seconds, or below what we accept" },
    "authentication-failure": {
      number: "2/5",
      text: "the proof is wrong, of another exchange, or by a secret or a key that we do not have",
    },
  },
  "update-error": {
    "malformed-update": {
      number: "3/1",
      text: "an update whose routes cannot be told: treating them as withdrawn is impossible (RFC 7606 §3)",
    },
    "too-large": { number: "3/–", text: "more routes in one update than the limit" },
  },
  "hold-timer-expired": { unspecified: { number: "4/0", text: "nothing came for the hold time" } },
  "state-machine-error": {
    "unexpected-in-open-sent": { number: "5/1", text: "a message that has no place in OpenSent (RFC 6608)" },
    "unexpected-in-open-confirm": { number: "5/2", text: "a message that has no place in OpenConfirm (RFC 6608)" },
    "unexpected-in-established": { number: "5/3", text: "a message that has no place in Established (RFC 6608)" },
    "unexpected-in-active": {
      number: "5/–",
      text: "a message before the open (ours: the acceptor waits for it in Active)",
    },
  },
  cease: {
    "too-many-routes": { number: "6/1", text: "the limit of routes was passed, and says restart or disable" },
    "administrative-shutdown": { number: "6/2", text: "an operator stopped it" },
    "peer-removed": { number: "6/3", text: "an operator removed the peer" },
    "administrative-reset": { number: "6/4", text: "an operator restarts it" },
    "connection-rejected": { number: "6/5", text: "too many connections, or one that said nothing in time" },
    "configuration-change": { number: "6/6", text: "what was agreed on no longer holds" },
    "connection-collision": { number: "6/7", text: "another connection with the same peer stays" },
    "out-of-resources": { number: "6/8", text: "the peer does not read, or no memory" },
  },
} as const;

export type NotificationCodes = typeof notificationCodes;
export type NotificationCode = keyof NotificationCodes;
/** A code with one of its own subcodes. */
export type Complaint = {
  [Code in NotificationCode]: { readonly code: Code; readonly subcode: keyof NotificationCodes[Code] & string };
}[NotificationCode];

/** What everybody can read in the documentation: all that is told to those who have not proved to be a peer. */
export function publicText({ code, subcode }: Complaint): string {
  const subcodes: Readonly<Record<string, { readonly text: string }>> = notificationCodes[code];
  return subcodes[subcode]?.text ?? "";
}
