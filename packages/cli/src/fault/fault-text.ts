// How a fault reads on a terminal: its code, what happened, and where more is to be learned.

import type { Fault } from "@capstan/orchestrator/remote";
import { shown } from "../output/shown.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";

/** `paint` colours the code where a person reads it. */
export function faultText(fault: Fault, paint: (text: string) => string = (text) => text): string {
  const head = `${paint(shown(fault.code))}  ${shown(fault.message)}`;
  if (fault.id === undefined) return `${head}\n`;
  // Who was refused may seldom read the log: the id is for whoever they turn to.
  if (exitCodeOf(fault.code) === exitCodes.refused) return `${head}   ${shown(fault.id)}\n`;
  return `${head}\n  see: capstan explain ${shown(fault.id)}\n`;
}
