// Faults that the simulator and the oracle must find: each is one line of the protocol made wrong. `find` stands in the file
// exactly once (mutants.test.ts), so that none of them is lost when the code changes.

export interface Mutant {
  readonly name: string;
  /** Under packages/peer/src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly breaks: string;
}

const decision: readonly Mutant[] = [
  {
    name: "length-before-preference",
    file: "decision/decide-best.ts",
    find: "compare: (a, b) => b.attributes.localPreference - a.attributes.localPreference,",
    replace:
      "compare: (a, b) => countWords(a.attributes.path) - countWords(b.attributes.path) || b.attributes.localPreference - a.attributes.localPreference,",
    breaks: "two comparators have changed places: the operator's word no longer comes first",
  },
  {
    name: "own-route-like-others",
    file: "decision/decide-best.ts",
    find: "compare: (a, b) => own(a) - own(b),",
    replace: "compare: () => 0,",
    breaks: "calls for what a node offers itself leave it where a policy prefers another's",
  },
  {
    name: "arrival-decides",
    file: "decision/decide-best.ts",
    find: 'compare: (a, b) => compareIds(a.attributes.peer ?? "", b.attributes.peer ?? ""),',
    replace: "compare: () => 0,",
    breaks: "of two paths that are equal but for the peer the one that came first stays",
  },
  {
    name: "inside-as-good-as-outside",
    file: "decision/decide-best.ts",
    find: "compare: (a, b) => fromInside(a) - fromInside(b),",
    replace: "compare: () => 0,",
    breaks: "a border sends calls through its domain that it could send out itself (RFC 4271 §9.1.2.2 d)",
  },
];

const tables: readonly Mutant[] = [
  {
    name: "equal-length-ignored",
    file: "adj-rib-in/intake.ts",
    find: "isOf(known, leaf) && sameAttributes(known.received, received)",
    replace: 'known.received.path.split(" ").length === received.path.split(" ").length',
    breaks: "a re-announcement with a path of equal length changes nothing",
  },
  {
    name: "anybody-withdraws",
    file: "adj-rib-in/intake.ts",
    find: "    // Nothing of that peer's, whoever else has announced it.\n",
    replace:
      "    const best = this.#locRib.best(name);\n    if (best !== path) this.#locRib.change(name, best, undefined);\n",
    breaks: "a withdrawal takes the best path away, whoever announced it",
  },
  {
    name: "no-alternatives",
    file: "loc-rib/loc-rib.ts",
    find: "this.#destinations.set(name, better ? [come, destination] : [destination, come]);",
    replace: "if (better) this.#destinations.set(name, come);",
    breaks: "only the best path is kept: there is nothing to fall over to",
  },
  {
    name: "withdrawals-not-passed-on",
    file: "adj-rib-out/adj-rib-out.ts",
    find: "      draft.forget(name);\n",
    replace: "",
    breaks: "peers are not told that a name is gone",
  },
  {
    name: "export-policy-kept",
    file: "rib/rib.ts",
    find: "if (peer.exportTerms !== exportTerms) peer.out",
    replace: 'if (peer.exportTerms === "") peer.out',
    breaks: "a change of the export policy counts for later changes alone",
  },
  {
    name: "import-policy-kept",
    file: "rib/rib.ts",
    find: "if (peer.importTerms !== importTerms) this.#intake",
    replace: 'if (peer.importTerms === "") this.#intake',
    breaks: "a change of the import policy counts for later announcements alone",
  },
  {
    name: "no-split-horizon",
    file: "adj-rib-out/offer.ts",
    find: "if (peer.internal) return !attributes.internal;",
    replace: "if (peer.internal) return true;",
    breaks: "what a node learned inside its domain it announces inside again",
  },
  {
    name: "changes-alone",
    file: "rib/rib.ts",
    find: "peer.out.tellAll(false);",
    replace: "",
    breaks: "a new session is not sent the table",
  },
  {
    name: "kept-beyond-session",
    file: "rib/rib.ts",
    find: "for (const path of peer.in.values()) this.#intake.remove(peer, path);",
    replace: "",
    breaks: "routes outlive the session that they came over",
  },
  {
    name: "never-swept",
    file: "adj-rib-in/intake.ts",
    find: "if (path.stale) this.remove(peer, path);",
    replace: "if (path.stale) continue;",
    breaks: "stale paths stay when the peer's table has come to its end without them",
  },
  {
    name: "swept-although-announced",
    file: "adj-rib-in/intake.ts",
    find: "      peer.in.refresh(known);\n",
    replace: "",
    breaks: "a stale path that is announced again as it was goes with the end-of-table",
  },
  {
    name: "damped-for-ever",
    file: "adj-rib-in/intake.ts",
    find: 'if (path?.filtered?.why === "damped")',
    replace: 'if (path?.filtered?.why === "loop")',
    breaks: "a route that flapped is not taken again when its time is over",
  },
];

const session: readonly Mutant[] = [
  {
    name: "numbers-unchecked",
    file: "session/step.ts",
    find: "if (seq === session.received) return",
    replace: "if (seq >= 0) return",
    breaks: "messages that were lost, doubled or reordered are not noticed",
  },
  {
    name: "never-held-against",
    file: "session/transition.ts",
    find: "hold: now + holdTime",
    replace: "hold: Number.MAX_SAFE_INTEGER",
    breaks: "a peer that is silent stays established",
  },
  {
    name: "hold-timer-not-restarted",
    file: "session/established.ts",
    find: 'progress(heard(session, context), "is kept alive")',
    replace: 'progress(session, "is kept alive")',
    breaks: "a session that only keeps alive ends with the hold time",
  },
  {
    name: "collision-of-two-minds",
    file: "neighbor/collision.ts",
    find: "|| dialledBy(newcomer, local) === higher(newcomer, local);",
    replace: "|| dialledBy(newcomer, local) === local;",
    breaks: "of two connections each side keeps the one that it dialled itself",
  },
  {
    name: "any-proof-will-do",
    file: "proof/create-prover.ts",
    find: 'if (!timingSafeEqual(mac, Buffer.from(proof.mac, "base64url"))) return false;\n    return verifySignature(key, signedBytes(proved), proof.signature);',
    replace: "return mac.length > 0;",
    breaks: "whoever claims to be a peer is that peer",
  },
];

const origin: readonly Mutant[] = [
  {
    name: "own-domain-in-path",
    file: "adj-rib-in/judge.ts",
    find: "if (hasWord(path, domain)) return",
    replace: "if (path === domain) return",
    breaks: "a path through the node's own domain is taken (RFC 4271 §9.1.2)",
  },
  {
    name: "old-epochs-count",
    file: "adj-rib-in/epochs.ts",
    find: "return highest < 0 ? undefined : highest;",
    replace: "return undefined;",
    breaks: "what an origin signed before its restart is as good as what it signs now",
  },
  {
    name: "no-owners",
    file: "adj-rib-in/judge.ts",
    find: 'if (typeof owner === "object") return',
    replace: 'if (typeof owner === "number") return',
    breaks: "whoever signs a name is its origin",
  },
  {
    name: "unsigned",
    file: "origin/assess.ts",
    find: "if (!context.verify(claim.key, claimBytes(claim, chunk.root), claim.signature))",
    replace: "if (claimBytes(claim, chunk.root).length === 0)",
    breaks: "origins' signatures are not looked at",
  },
  {
    name: "preference-of-strangers",
    file: "adj-rib-in/read-attributes.ts",
    find: "localPreference: internal ? (localPreference ?? DEFAULT_PREFERENCE) : DEFAULT_PREFERENCE,",
    replace: "localPreference: localPreference ?? DEFAULT_PREFERENCE,",
    breaks: "another domain says how much its routes are preferred here (RFC 4271 §5.1.5)",
  },
  {
    name: "others-first-domain",
    file: "adj-rib-in/read-attributes.ts",
    find: "if (!internal && !beginsWith(path, domain))",
    replace: 'if (!internal && path === "")',
    breaks: "a path need not begin with the domain that announces it",
  },
];

export const MUTANTS: readonly Mutant[] = [...decision, ...tables, ...session, ...origin];
