// The fault in whatever a command threw. What is not a fault is a bug of ours, and says so.

import { type Fault, FaultError, fault } from "@capstan/orchestrator/remote";

export function thrownFault(thrown: unknown): Fault {
  if (thrown instanceof FaultError) return thrown.toFault();
  return fault("INTERNAL", `${thrown instanceof Error ? thrown.message : String(thrown)}; CAPSTAN_DEBUG=1 shows where`);
}

export function usageFault(message: string): FaultError {
  return new FaultError(fault("USAGE_INVALID", message));
}

/** Of what a server answered to a message. */
export function answerFault(name: string, problem: string): FaultError {
  return new FaultError(fault("ANSWER_INVALID", `${name}: the server's answer ${problem}; is it of another version?`));
}
