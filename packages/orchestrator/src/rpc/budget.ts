// What one session may use, and the end of it when it uses more (docs: DESIGN.md §5). capnweb 0.12 bounds neither calls nor
// references nor `.map()` expansion, so every frame is judged here before capnweb evaluates it. A budget knows no
// transport: whoever carries the session asks it, and listens to `onBreach`.

import { FaultError } from "../fault/fault.ts";
import { type InspectedFrame, inspectFrame } from "./frame.ts";
import { ExportLedger } from "./ledger.ts";
import { defaultLimits, type SessionLimits } from "./limits.ts";

/** A mapper that needs more is doing the callee's work; it bounds how often each element's results are copied. */
const VARIABLE_REFERENCES_A_MAP = 64;

/** Of UTF-8, for a code unit of UTF-16. */
const BYTES_A_UNIT = 3;

/** A frame that may be evaluated. */
export interface AdmittedFrame extends InspectedFrame {
  /** A release of a push that was never pulled: capnweb must first be told to pull it, or nobody learns when it ends. */
  readonly pullFirst: boolean;
}

export class SessionBudget {
  readonly limits: SessionLimits;
  #authenticated = false;
  #verifying = 0;
  #verified = Promise.resolve();
  #anonymousCalls = 0;
  #inFlight = 0;
  #longest = 1;
  /** The first credential's refusal. */
  #refused: FaultError | undefined;
  #breach: FaultError | undefined;
  readonly #breachListeners = new Set<(breach: FaultError) => void>();
  readonly #ledger = new ExportLedger();

  constructor(limits: Partial<SessionLimits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** The first breach; the session is over. */
  get breach(): FaultError | undefined {
    return this.#breach;
  }

  get callsInFlight(): number {
    return this.#inFlight;
  }

  /** Pushes that are not over, and stubs that the peer has not released. */
  get liveExports(): number {
    return this.#ledger.live;
  }

  /** Called once, at the first breach; also where the breach is thrown to somebody else, such as a scope method. */
  onBreach(listener: (breach: FaultError) => void): () => void {
    this.#breachListeners.add(listener);
    return () => this.#breachListeners.delete(listener);
  }

  /** While a credential is being verified or a challenge made, no frame may be evaluated; resolves when that is over, either way. */
  get pendingAuthentication(): Promise<void> | undefined {
    return this.#verifying === 0 ? undefined : this.#verified;
  }

  /**
   * A connection's `verify` has begun. The session is authenticated once any of them is fulfilled. To be called before the
   * scope method returns, so that the frame behind this one already waits. `verify` must not wait for frames of the peer.
   */
  authenticating(verification: Promise<unknown>): void {
    this.#awaiting(verification, true);
  }

  /** A challenge has begun: like a verification, but whoever is challenged is nobody yet. */
  challenging(offer: Promise<unknown>): void {
    this.#awaiting(offer, false);
  }

  #awaiting(verification: Promise<unknown>, authenticates: boolean): void {
    this.#verifying++;
    const before = this.#verified;
    this.#verified = verification.then(
      () => {
        if (authenticates) this.#authenticated = true;
        this.#verifying--;
        return before;
      },
      (refused: unknown) => {
        this.#verifying--;
        this.#refused ??= refused instanceof FaultError ? refused : undefined;
        return before;
      },
    );
  }

  /** Judges one frame and books what it uses. Throws a FaultError, FRAME_INVALID or SESSION_BUDGET, that ends the session. */
  frame(text: string): AdmittedFrame {
    if (this.#breach) throw this.#breach;
    const { limits } = this;
    const bytes = text.length;
    if (!this.#authenticated && bytes > limits.anonymousFrameBytes)
      throw this.#anonymous("frameBytes", limits.anonymousFrameBytes);
    if (bytes > limits.frameBytes) throw this.#over("frameBytes", limits.frameBytes, "a frame is larger");
    const frame = inspectFrame(text) as InspectedFrame & { pullFirst: boolean };
    frame.pullFirst = false;
    if (frame.refused !== undefined)
      throw this.#ended(new FaultError({ code: "FRAME_INVALID", message: frame.refused }));
    switch (frame.type) {
      case "push":
        this.#push(frame, bytes);
        break;
      case "pull":
        this.#ledger.pull(frame.id);
        break;
      case "release":
        frame.pullFirst = this.#ledger.release(frame.id, frame.released);
        break;
      default:
        // Values for us. They may refer to our exports, but a call in one is a call that no capnweb peer would make there.
        if (frame.calls + frame.maps > 0) throw this.#over("nestedCalls", 0, `a ${frame.type} holds a call`);
        this.#checkCopies(this.#ledger.cost(frame));
    }
    return frame;
  }

  #push(frame: InspectedFrame, bytes: number): void {
    const { limits } = this;
    if (frame.mapNested)
      throw this.#over("nestedMaps", 0, "a map inside a map multiplies; map over the outer list in a call of its own");
    if (!this.#authenticated) {
      if (frame.maps > 0) throw this.#anonymous("maps", 0);
      this.#anonymousCalls += frame.calls;
      if (this.#anonymousCalls > limits.anonymousCalls) throw this.#anonymous("calls", limits.anonymousCalls);
    }
    // A call in an argument has no export of its own: nobody, here or there, can see when it ends.
    if (frame.nested > 0)
      throw this.#over("nestedCalls", 0, "an argument holds a call or a map; push it first and refer to it");
    if (frame.map && frame.map.variableReferences > VARIABLE_REFERENCES_A_MAP)
      throw this.#over("mapReferences", VARIABLE_REFERENCES_A_MAP, "a map refers to its variables more often");
    this.#ledger.push(frame, bytes);
    if (frame.map) {
      // A map over what this map gives may expand over a list that its instructions spell out.
      this.#expect(0, frame.map.longest);
      this.#checkMap(frame.mapInstructions);
    }
    if (this.#ledger.live > limits.liveExports)
      throw this.#over("liveExports", limits.liveExports, "more calls and stubs are neither over nor released");
    if (this.#ledger.bytes > limits.inboundBytes)
      throw this.#over("inboundBytes", limits.inboundBytes, "the calls that are not over yet brought more");
    this.#checkCopies();
  }

  /** The node ends the session, for a reason of its own. */
  end(reason: FaultError): void {
    this.#ended(reason);
  }

  /** A scope method begins. Throws over the limit, and ends the session. */
  callStarted(): void {
    if (this.#breach) throw this.#breach;
    if (this.#inFlight >= this.limits.callsInFlight)
      throw this.#over("callsInFlight", this.limits.callsInFlight, "more calls are being answered at once");
    this.#inFlight++;
  }

  /** One that started has ended, either way. */
  callEnded(): void {
    this.#inFlight--;
  }

  /**
   * What a scope method is about to return. Any map in flight may turn out to expand over its longest list, and any reference
   * in flight to copy it, so both are charged again.
   */
  result(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const measure = { values: 0, longest: 1 };
    measureResult(value, measure, 0);
    this.#expect(measure.values, measure.longest);
    this.#checkCopies();
  }

  #expect(values: number, longest: number): void {
    this.#ledger.grow(values, longest);
    if (longest <= this.#longest) return;
    this.#longest = longest;
    this.#checkMap(this.#ledger.heaviestMap);
  }

  /** A message of ours to the peer. Returns false if the peer never asked for it and must not get it. */
  sent(message: readonly unknown[], text: string): boolean {
    const [type, id] = message;
    const wanted = !((type === "resolve" || type === "reject") && this.#ledger.settled(id as number));
    // Unambiguous enough to skip the walk: JSON.stringify puts no space there, and inside a string the quote is escaped.
    if (wanted && (text.includes('["export",') || text.includes('["promise",'))) {
      this.#ledger.stubs += exportsIn(message).length;
      if (this.#ledger.live > this.limits.liveExports)
        throw this.#over("liveExports", this.limits.liveExports, "more calls and stubs are neither over nor released");
    }
    return wanted;
  }

  /** For the carrier: what is held or unread on the way to the peer. */
  outbound(bytes: number): void {
    if (bytes > this.limits.outboundBytes)
      throw this.#over("outboundBytes", this.limits.outboundBytes, "the peer has more waiting for it than that");
  }

  /** For the carrier: what has arrived and is not evaluated yet. */
  waiting(bytes: number): void {
    const name = this.#authenticated ? "inboundBytes" : "waitingBytes";
    if (bytes > this.limits[name]) throw this.#over(name, this.limits[name], "more arrived than can be taken at once");
  }

  /**
   * For a carrier that is told how many bytes a frame has before it has them: whether they are to be waited for. Behind a
   * credential that is not verified yet a frame may be larger than one that is judged before.
   */
  arriving(bytes: number): void {
    if (this.#breach) throw this.#breach;
    const { frameBytes, waitingBytes, anonymousFrameBytes } = this.limits;
    if (bytes > frameBytes * BYTES_A_UNIT) throw this.#over("frameBytes", frameBytes, "a frame is larger");
    const limit = Math.max(waitingBytes, anonymousFrameBytes);
    if (!this.#authenticated && bytes > limit * BYTES_A_UNIT) throw this.#anonymous("frameBytes", limit);
  }

  #checkMap(instructions: number): void {
    const expansions = instructions * this.#longest;
    if (expansions > this.limits.expansionsPerMap)
      throw this.#over(
        "expansionsPerMap",
        this.limits.expansionsPerMap,
        `a map of ${instructions} steps may run over ${this.#longest} elements; ask for smaller pages`,
      );
  }

  #checkCopies(more = 0): void {
    const { copiedValues, anonymousCopies } = this.limits;
    const limit = this.#authenticated ? copiedValues : anonymousCopies;
    if (this.#ledger.copies + more > limit)
      throw this.#over("copiedValues", limit, "references to earlier results copy more values");
  }

  #anonymous(name: string, limit: number): FaultError {
    // Whoever tried a credential and goes on as if it were good is told of the credential.
    if (this.#refused) return this.#ended(this.#refused);
    return this.#over(name, limit, "before authentication no more is taken; connect first");
  }

  #over(name: string, limit: number, what: string): FaultError {
    return this.#ended(
      new FaultError({
        code: "SESSION_BUDGET",
        message: `the session went over its ${name} budget of ${limit}: ${what}`,
        details: { limit: name, size: limit },
      }),
    );
  }

  #ended(fault: FaultError): FaultError {
    if (this.#breach) return this.#breach;
    this.#breach = fault;
    for (const listener of this.#breachListeners) listener(fault);
    return fault;
  }
}

/** The ids of our stubs that a message of ours hands out. */
export function exportsIn(value: unknown, found: number[] = []): number[] {
  if (typeof value !== "object" || value === null) return found;
  if (!Array.isArray(value)) {
    for (const key in value) exportsIn((value as Record<string, unknown>)[key], found);
  } else if (value.length === 1 && Array.isArray(value[0])) {
    for (const element of value[0]) exportsIn(element, found);
  } else if (value[0] === "export" || value[0] === "promise") {
    found.push(value[1] as number);
  } else if (value[0] === "pipeline" || value[0] === "remap") {
    // Arguments and captures are bare lists, and no value written as one.
    if (Array.isArray(value[3])) for (const element of value[3]) exportsIn(element, found);
  } else {
    for (const element of value) exportsIn(element, found);
  }
  return found;
}

/** As deep as capnweb would serialise; what lies deeper fails there. */
const MAX_DEPTH = 256;

function measureResult(value: object, measure: { values: number; longest: number }, depth: number): void {
  if (depth >= MAX_DEPTH) return;
  if (Array.isArray(value)) {
    const { length } = value;
    measure.values += length;
    if (length > measure.longest) measure.longest = length;
    for (let i = 0; i < length; i++) {
      const element = value[i];
      if (typeof element === "object" && element !== null) measureResult(element, measure, depth + 1);
    }
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const key in value) {
      measure.values++;
      const field = (value as Record<string, unknown>)[key];
      if (typeof field === "object" && field !== null) measureResult(field, measure, depth + 1);
    }
  }
}
