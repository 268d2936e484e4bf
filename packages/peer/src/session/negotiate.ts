// What two offers come to. All of it is a claim until the proof: nothing here may be acted upon before (proof/). Checked in
// the order of RFC 4271 §6.2, by a table of named checks; but whoever dials us shows first that it may know the secret. Which start of
// the peer's it is, is looked at once that is proved (open-confirm.ts).

import { z } from "zod";
import type { Capability, Open } from "../wire/message.ts";
import type { Complaint } from "../wire/notification-codes.ts";
import type { SessionContext } from "./context.ts";
import type { Offer } from "./offer.ts";
import type { Agreed, Session, SessionConfig } from "./session.ts";

export type Negotiation =
  | { readonly ok: true; readonly agreed: Agreed; readonly secret: string }
  | { readonly ok: false; readonly complaint: Complaint; readonly text: string };

/** What is wrong with the peer's offer; `undefined` where nothing is. */
type Check = (ours: Offer, theirs: Open, config: SessionConfig) => Extract<Negotiation, { ok: false }> | undefined;

/** A capability's content comes from a stranger: what has not this form counts as not there. RFC 4724 §3: twelve bits. */
const gracefulRestart = z.looseObject({
  name: z.literal("graceful-restart"),
  restartTime: z.int().min(0).max(4095),
  restarting: z.boolean().default(false),
});

const CHECKS: readonly Check[] = [
  function version(ours, theirs) {
    if (commonVersion(ours, theirs) !== undefined) return undefined;
    return wrong(
      "unsupported-version",
      `this node speaks ${ours.versions.join(", ")}, not ${theirs.versions.join(", ")}`,
    );
  },
  function domain(ours, theirs, { peer }) {
    if (peer.domain === undefined && theirs.domain === ours.domain && theirs.node !== ours.node) {
      return wrong(
        "bad-domain",
        `${theirs.domain} is this node's own domain, and the peer is configured as one of another`,
      );
    }
    if (peer.domain === undefined || peer.domain === theirs.domain) return undefined;
    return wrong("bad-domain", `the peer is configured with the domain ${peer.domain}, and says ${theirs.domain}`);
  },
  function identifier(ours, theirs, { peer }) {
    if (theirs.node === ours.node) return wrong("bad-identifier", `${theirs.node} is this node's own id`);
    if (theirs.node === peer.node) return undefined;
    return wrong("bad-identifier", `the peer is configured as ${peer.node}, and says ${theirs.node}`);
  },
  function capabilities(_ours, theirs, { required }) {
    const missing = required.filter((name) => !has(theirs.capabilities, name));
    if (missing.length === 0) return undefined;
    return wrong("unsupported-capability", `required and not offered: ${missing.join(", ")}`);
  },
  // RFC 4271 §4.2: "MUST be either zero or at least three seconds"; §6.2: any may be rejected. Zero is below every minimum:
  // a peer must not be able to switch off that we notice its absence.
  function holdTime(_ours, theirs, { minHoldTime }) {
    const offered = theirs.holdTime * 1000;
    if (theirs.holdTime !== 1 && theirs.holdTime !== 2 && offered >= minHoldTime) return undefined;
    return wrong("unacceptable-hold-time", `a hold time of ${theirs.holdTime} s`);
  },
];

export function negotiate(role: Session["role"], ours: Offer, theirs: Open, context: SessionContext): Negotiation {
  const credentials = checkCredentials(role, theirs, context);
  if (role === "acceptor" && !credentials.ok) return credentials;
  for (const check of CHECKS) {
    const problem = check(ours, theirs, context.config);
    if (problem !== undefined) return problem;
  }
  return credentials.ok ? { ok: true, agreed: agreed(ours, theirs), secret: credentials.secret } : credentials;
}

type Credentials = { readonly ok: true; readonly secret: string } | Extract<Negotiation, { ok: false }>;

/**
 * Whether they show a pinned key and the id of a common secret. No proof, but without them one who dials us is a stranger, to
 * whom every peer and everybody else must look alike: it is refused for this before anything else.
 */
export function checkCredentials(
  role: Session["role"],
  theirs: Open,
  { config: { peer }, prover }: SessionContext,
): Credentials {
  if (!peer.keys.includes(theirs.key)) {
    return wrong("authentication-failure", `the key is not one that is pinned for ${peer.node}`);
  }
  const secret = commonSecret(role, prover.secrets, theirs);
  return secret === undefined ? wrong("authentication-failure", "no secret in common") : { ok: true, secret };
}

/** The acceptor takes what it prefers of what the dialler lists, and says that one alone. */
function commonSecret(role: Session["role"], ours: readonly string[], theirs: Open): string | undefined {
  if (role === "dialler" && theirs.secrets.length !== 1) return undefined;
  return ours.find((id) => theirs.secrets.includes(id));
}

function agreed(ours: Offer, theirs: Open): Agreed {
  const graceful = gracefulRestart.safeParse(named(theirs.capabilities, "graceful-restart"));
  const both = graceful.success && has(ours.capabilities, "graceful-restart");
  return {
    version: commonVersion(ours, theirs) ?? 0,
    node: theirs.node,
    name: theirs.name,
    domain: theirs.domain,
    epoch: theirs.epoch,
    // RFC 4271 §4.2: "the smaller of its configured Hold Time and the Hold Time received".
    holdTime: Math.min(ours.holdTime, theirs.holdTime) * 1000,
    capabilities: ours.capabilities.filter(({ name }) => has(theirs.capabilities, name)),
    restartTime: both ? graceful.data.restartTime * 1000 : undefined,
    restarting: both && graceful.data.restarting,
  };
}

function commonVersion(ours: Offer, theirs: Open): number | undefined {
  const common = ours.versions.filter((version) => theirs.versions.includes(version));
  return common.length === 0 ? undefined : Math.max(...common);
}

function named(capabilities: readonly Capability[], name: string): Capability | undefined {
  return capabilities.find((capability) => capability.name === name);
}

function has(capabilities: readonly Capability[], name: string): boolean {
  return named(capabilities, name) !== undefined;
}

function wrong(
  subcode: Extract<Complaint, { code: "open-error" }>["subcode"],
  text: string,
): Extract<Negotiation, { ok: false }> {
  return { ok: false, complaint: { code: "open-error", subcode }, text };
}
