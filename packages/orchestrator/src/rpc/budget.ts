// What one session may use, and the end of it when it uses more (docs: DESIGN.md §5). capnweb 0.12 bounds neither calls nor
// references nor `.map()` expansion, so every frame is judged here before capnweb evaluates it. A budget knows no
// transport: whoever carries the session asks it, and listens to `onBreach`.

import { FaultError } from "../fault/fault.ts";
import { ExportLedger } from "./export-ledger.ts";
import { type InspectedFrame, inspectFrame } from "./frame.ts";
import { defaultLimits, type SessionLimits } from "./limits.ts";

/** Bounds how often a mapper may copy what its earlier steps gave. A mapper that needs more does work that belongs into a message. */
const VARIABLE_REFERENCES_A_MAP = 64;

/** So many times `outboundBytes` are the answers that wait for a node, until its link has room or the log has kept what they depend on. */
const ANSWERS_FOR_A_NODE = 3;

/** So many times `outboundBytes` may an answer have that hardly anything waits with: an export of the largest entry, or no backup gets past it. */
const ALONE = 2;
/** The part of `outboundBytes` that is hardly anything. */
const HARDLY = 1 / 256;

/** An upper bound: bytes of UTF-8 for a code unit of UTF-16. */
export const BYTES_A_UNIT = 3;

/** A frame that may be evaluated. */
export interface AdmittedFrame extends InspectedFrame {
  /** Set for a release of a push that was never pulled: capnweb must pull it first, or nobody would learn when it ends. */
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
  /** The refusal of the first credential, where it was refused. */
  #refused: FaultError | undefined;
  #breach: FaultError | undefined;
  #isWithNode = false;
  readonly #breachListeners = new Set<(breach: FaultError) => void>();
  readonly #ledger = new ExportLedger();

  constructor(limits: Partial<SessionLimits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  get isWithNode(): boolean {
    return this.#isWithNode;
  }

  /** The other side is a node: many share the session, so that no answer ends it by its size, or because many come at once. */
  withNode(): void {
    this.#isWithNode = true;
  }

  /**
   * The most characters of a frame that answers: a larger one would never fit, and so fails alone. A node has limits like this one, and would end
   * the session at a larger one.
   */
  get longestAnswer(): number {
    return this.#isWithNode ? this.limits.frameBytes : this.limits.outboundBytes * ALONE;
  }

  /** The most characters that may wait with an answer; more are refused one by one. */
  get mostWaiting(): number {
    return this.#isWithNode ? this.limits.outboundBytes * ANSWERS_FOR_A_NODE : Number.POSITIVE_INFINITY;
  }

  /** The first breach. With it the session is over. */
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

  /** Calls back once, at the first breach, also if that was thrown elsewhere, such as into a scope method. Answers a function that cancels this. */
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

  /** A challenge has begun: frames wait as for a verification, but the session is not authenticated by it. */
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
        // A resolve or reject carries values for us. They may refer to our exports, but no capnweb peer puts a call into one.
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
    // A call inside an argument has no export of its own, so that neither side can see when it ends.
    if (frame.nested > 0)
      throw this.#over("nestedCalls", 0, "an argument holds a call or a map; push it first and refer to it");
    if (frame.map && frame.map.variableReferences > VARIABLE_REFERENCES_A_MAP)
      throw this.#over("mapReferences", VARIABLE_REFERENCES_A_MAP, "a map refers to its variables more often");
    this.#ledger.push(frame, bytes);
    if (frame.map) {
      // A later map over this map's result may expand over a list that is written in its instructions.
      this.#expect(0, frame.map.longest);
      this.#checkMap(frame.mapInstructions);
    }
    if (this.#ledger.live > limits.liveExports)
      throw this.#over("liveExports", limits.liveExports, "more calls and stubs are neither over nor released");
    if (this.#ledger.bytes > limits.inboundBytes)
      throw this.#over("inboundBytes", limits.inboundBytes, "the calls that are not over yet brought more");
    this.#checkCopies();
  }

  /** Ends the session for a reason of the node's own. */
  end(reason: FaultError): void {
    this.#ended(reason);
  }

  /** A scope method begins. @throws FaultError SESSION_BUDGET over the limit; the session is then over */
  callStarted(): void {
    if (this.#breach) throw this.#breach;
    if (this.#inFlight >= this.limits.callsInFlight)
      throw this.#over("callsInFlight", this.limits.callsInFlight, "more calls are being answered at once");
    this.#inFlight++;
  }

  /** A scope method has ended, with success or not. */
  callEnded(): void {
    this.#inFlight--;
  }

  /**
   * Charges for what a scope method is about to return. Maps in flight may expand over its longest list, and references in flight may copy
   * it, so that both are charged again.
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

  /** Books a message to the peer. Answers false if the peer never asked for it, and it must not be sent. */
  sent(message: readonly unknown[], text: string): boolean {
    const [type, id] = message;
    const wanted = !((type === "resolve" || type === "reject") && this.#ledger.settled(id as number));
    // A cheap test before the walk: JSON.stringify puts no space there, and inside of a string the quotes would be escaped.
    if (wanted && (text.includes('["export",') || text.includes('["promise",'))) {
      this.#ledger.stubs += exportsIn(message).length;
      if (this.#ledger.live > this.limits.liveExports)
        throw this.#over("liveExports", this.limits.liveExports, "more calls and stubs are neither over nor released");
    }
    return wanted;
  }

  /**
   * For the transport: bytes that are held, or that the peer has not read.
   * @param size of the frame that comes to them
   */
  outbound(waiting: number, size = 0): void {
    // The answers that wait for a node leave room for what this side asks of it.
    const most = this.limits.outboundBytes * (this.#isWithNode ? ANSWERS_FOR_A_NODE + 1 : 1);
    if (waiting + size <= most || (waiting <= most * HARDLY && size <= this.longestAnswer)) return;
    throw this.#over("outboundBytes", most, "the peer has more waiting for it than that");
  }

  /** For the transport: bytes that have arrived and are not evaluated yet. */
  waiting(bytes: number): void {
    const name = this.#authenticated ? "inboundBytes" : "waitingBytes";
    if (bytes > this.limits[name]) throw this.#over(name, this.limits[name], "more arrived than can be taken at once");
  }

  /**
   * For a transport that learns a frame's length before its bytes: throws where the frame is too large to wait for. Before authentication a
   * frame may be as large as what may wait behind a credential; what is judged before that must be smaller (`anonymousFrameBytes`).
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
    // A caller whose credential was refused, and who goes on as if it were good, is told of that refusal.
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

/** Collects the ids of our stubs that an outgoing message hands out. */
export function exportsIn(value: unknown, found: number[] = []): number[] {
  if (typeof value !== "object" || value === null) return found;
  if (!Array.isArray(value)) {
    for (const key in value) exportsIn((value as Record<string, unknown>)[key], found);
  } else if (value.length === 1 && Array.isArray(value[0])) {
    for (const element of value[0]) exportsIn(element, found);
  } else if (value[0] === "export" || value[0] === "promise") {
    found.push(value[1] as number);
  } else if (value[0] === "pipeline" || value[0] === "remap") {
    // The arguments and captures of a call are plain lists here, not lists in capnweb's encoding of values.
    if (Array.isArray(value[3])) for (const element of value[3]) exportsIn(element, found);
  } else {
    for (const element of value) exportsIn(element, found);
  }
  return found;
}

/** The depth to which capnweb serialises; deeper values fail there. */
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
