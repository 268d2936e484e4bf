// One HTTP batch: a session whose frames are the lines of a body, answered once all that was pulled is settled and durable. The
// wire form is capnweb's newHttpBatchRpcResponse; the caller has read the body under its own size limit.

import { RpcSession, type RpcSessionOptions, type RpcTransportWithCustomEncoding } from "capnweb";
import { type Fault, FaultError, fault } from "../fault/fault.ts";
import { kernelFaults } from "../fault/kernel-faults.ts";
import type { SessionBudget } from "./budget.ts";
import { encodeMessage } from "./encode.ts";
import { callerFault, type ErrorReport } from "./errors.ts";
import { type Durability, OutputGate } from "./gate.ts";
import { Inbox } from "./inbox.ts";

export interface Batch {
  readonly body: string;
  /** The main object, as for RpcSession. */
  readonly main: unknown;
  /** As for RpcSession; `onSendError` must be ours, see errors.ts. */
  readonly options: RpcSessionOptions;
  readonly budget: SessionBudget;
  readonly durability: Durability;
  readonly report?: ErrorReport;
}

export async function answerBatch({ body, main, options, budget, durability, report }: Batch): Promise<Response> {
  const transport = new BatchTransport(body === "" ? [] : body.split("\n"), budget, durability);
  const session = new RpcSession(transport, main, options);
  try {
    // A breach inside a call ends the batch even while other calls hang.
    await Promise.race([transport.failed, settled(session, transport)]);
    return new Response(transport.frames.join("\n"));
  } catch (error) {
    return faultResponse(callerFault(error, report));
  } finally {
    transport.close();
    session.getRemoteMain()[Symbol.dispose]();
  }
}

async function settled(session: RpcSession, transport: BatchTransport): Promise<void> {
  await transport.received;
  await session.drain();
  await transport.gate.idle();
}

function faultResponse({ code, message }: Fault): Response {
  const row = code in kernelFaults ? kernelFaults[code as keyof typeof kernelFaults] : kernelFaults.INTERNAL;
  return Response.json(fault(code, message), { status: row.status });
}

class BatchTransport implements RpcTransportWithCustomEncoding {
  readonly encodingLevel = "jsonCompatible";
  /** The frames of the answer, durable and in order. */
  readonly frames: string[] = [];
  readonly gate: OutputGate;
  readonly #budget: SessionBudget;
  readonly #inbox: Inbox;
  /** Code units of the whole answer. */
  #bytes = 0;
  readonly #received = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();

  constructor(lines: string[], budget: SessionBudget, durability: Durability) {
    this.#budget = budget;
    this.#inbox = new Inbox(budget, lines, () => this.#received.resolve());
    this.gate = new OutputGate({
      durability,
      // `send` has asked the budget.
      limit: Number.POSITIVE_INFINITY,
      sink: (frames) => this.frames.push(...frames),
    });
    // Nobody listens any more once the batch is answered.
    this.#failed.promise.catch(() => {});
  }

  /** Every line has been evaluated. */
  get received(): Promise<void> {
    return this.#received.promise;
  }

  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  send(message: unknown): number {
    // An aborted batch is answered with an HTTP status, not with a frame.
    if ((message as unknown[])[0] === "abort") return 0;
    const text = encodeMessage(message as unknown[], this.#budget, this.#inbox);
    if (text === undefined) return 0;
    this.#budget.outbound(this.#bytes, text.length);
    this.#bytes += text.length;
    this.gate.send(text);
    return text.length;
  }

  receive(): Promise<unknown> {
    return this.#inbox.receive();
  }

  abort(reason: unknown): void {
    const aborted = fault("FRAME_INVALID", "the batch aborts itself");
    this.#failed.reject(this.#inbox.peerAborted ? new FaultError(aborted) : reason);
  }

  close(): void {
    this.gate.close();
    this.#inbox.fail(undefined, true);
  }
}
