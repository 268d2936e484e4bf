// A line of the node's own log as a person at a terminal reads it. Programs, files and journals get the JSON that it is made of.

import { brief } from "./brief.ts";
import { instant } from "./columns.ts";
import { shown, shownLines } from "./shown.ts";

/** pino's levels; lines of level info say none. */
const LEVELS: Readonly<Record<number, string>> = { 20: "debug", 40: "WARN", 50: "ERROR", 60: "FATAL" };

/** What a decision's line has, and no more: an action's code logs what it likes, beside its execution. */
const DECISION = ["id", "message", "principal", "verdict", "entry", "correlation", "trace"];

/** `2026-11-21T16:44:00Z  action.perform  admin  done  entry 3  m-01J8`; what is none of our lines stays as it is. */
export function logLineText(line: string): string {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return shownLines(line);
  }
  if (typeof said !== "object" || said === null) return shownLines(line);
  const { level, time, msg, ...fields } = said as Readonly<Record<string, unknown>>;
  const words = [
    instant(time),
    LEVELS[Number(level)] ?? "",
    ...(msg === "decided" && isDecision(fields) ? decided(fields) : noted(msg, fields)),
  ];
  return `${shown(words.filter((word) => word !== "").join("  "))}\n`;
}

function isDecision(fields: Readonly<Record<string, unknown>>): boolean {
  const { id, message, principal, verdict } = fields;
  return (
    [id, message, principal, verdict].every((one) => typeof one === "string") &&
    Object.keys(fields).every((name) => DECISION.includes(name))
  );
}

function decided({ id, message, principal, verdict, entry, ...more }: Readonly<Record<string, unknown>>): string[] {
  const at = entry === undefined ? "" : `entry ${entry}`;
  return [...[message, principal, verdict].map(String), at, String(id), ...rest(more)];
}

function noted(msg: unknown, fields: Readonly<Record<string, unknown>>): string[] {
  return [typeof msg === "string" ? oneSpaced(msg) : brief(msg ?? ""), ...rest(fields)];
}

const rest = (fields: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(fields).map(([name, value]) => `${oneSpaced(name)} ${whole(value)}`);

/** Texts are whole: where an error came from is at their end. */
const whole = (value: unknown): string =>
  typeof value === "string" && /\s/.test(value) ? JSON.stringify(value) : brief(value);

/** Two spaces are between what the line is made of, and nowhere in what somebody said. */
const oneSpaced = (text: string): string => text.replace(/ {2,}/g, " ");
