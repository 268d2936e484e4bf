// The fault in whatever a command threw. What is not a fault is a bug of ours, and says so.

import { type Fault, FaultError, fault } from "@capstan/orchestrator";
import { CommanderError } from "commander";

export function thrownFault(thrown: unknown): Fault {
  if (thrown instanceof FaultError) return thrown.toFault();
  if (thrown instanceof CommanderError) return usage(thrown.message);
  return fault("INTERNAL", `${thrown instanceof Error ? thrown.message : String(thrown)}; CAPSTAN_DEBUG=1 shows where`);
}

export function usageFault(message: string): FaultError {
  return new FaultError(fault("USAGE_INVALID", message));
}

/** Of what a server answered to a message. */
export function answerFault(name: string, problem: string): FaultError {
  return new FaultError(fault("ANSWER_INVALID", `${name}: the server's answer ${problem}; is it of another version?`));
}

/** `error: unknown option '--memry'\n(Did you mean --memory?)`, in our words. */
function usage(message: string): Fault {
  const [head = "", ...rest] = message.replace(/^error: /, "").split("\n");
  const hint = /^\(Did you mean (.+)\?\)$/.exec(rest.join(" ").trim())?.[1];
  const said = head.replaceAll("'", '"');
  return fault("USAGE_INVALID", hint === undefined ? said : `${said}; did you mean "${hint.replace("one of ", "")}"?`);
}
