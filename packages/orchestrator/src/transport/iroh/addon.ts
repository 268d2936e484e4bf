// The one place where iroh's native addon is loaded: when it is first needed, and never before. It is an optional package, and
// may be missing for a machine; whoever asked for it is then told so.

import { FaultError, fault } from "../../fault/fault.ts";

export type Iroh = typeof import("@number0/iroh");
export type { BiStream, Connection, Endpoint, EndpointId, Incoming } from "@number0/iroh";

/** @throws FaultError IROH_UNAVAILABLE */
export async function loadIroh(): Promise<Iroh> {
  try {
    return await import("@number0/iroh");
  } catch (thrown) {
    const hint =
      "it is the package @number0/iroh with its part for this system; a compiled binary writes it into TMPDIR, which must take a file of 20 MB";
    throw new FaultError(fault("IROH_UNAVAILABLE", `iroh cannot be loaded here: ${deepest(thrown)}; ${hint}`));
  }
}

/** What the loader found at last; of a chain of causes the first is a guess about npm. */
function deepest(thrown: unknown): string {
  const { cause } = thrown as { readonly cause?: unknown };
  return cause instanceof Error ? deepest(cause) : firstLine(thrown);
}

/** What an error of iroh's says: behind its first line are backtraces of Rust, and of a chain the last cause says most. */
export function irohReason(thrown: unknown): string {
  const [chain = ""] = messageOf(thrown).split(/\n\s*Stack backtrace/);
  const lines = chain
    .split("\n")
    .map((line) => line.replace(/ \(\/[^)]*\.rs:\d+:\d+\)/g, "").trim())
    .filter((line) => line !== "" && line !== "Caused by:");
  return lines.at(-1) ?? "it does not say why";
}

function firstLine(thrown: unknown): string {
  return messageOf(thrown).split("\n", 1)[0] as string;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
