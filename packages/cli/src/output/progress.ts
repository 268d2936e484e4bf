// How far long work has come: one line that is written over itself, for a person who waits at a terminal; nothing for anybody
// else, and nothing with --json.

import type { Cli } from "../cli.ts";
import type { Io } from "../io.ts";
import { count } from "./count.ts";
import { shown } from "./shown.ts";

export interface Progress {
  /** Work that begins anew shows by less being done than before. */
  readonly show: (done: number, of: number) => void;
  /** Takes the line away. */
  end(): void;
}

type Where = Pick<Cli, "io"> & { readonly printer: Pick<Cli["printer"], "json"> };

const ERASE_LINE = "\r\u001b[2K";
/** No eye follows more. */
const EVERY_MS = 100;
/** Before that nobody can say how long it will take. */
const KNOWN_AFTER_MS = 1000;

/** @param clock milliseconds, of which only differences count */
export function progressOn(where: Where, what: string, clock: () => number = () => performance.now()): Progress {
  const line = lineOn(where);
  if (line === undefined) return { show() {}, end() {} };
  let began: { readonly at: number; readonly done: number } | undefined;
  let last = Number.NEGATIVE_INFINITY;
  let before = 0;
  return {
    show(done, of) {
      const now = clock();
      if (began === undefined || done < before) began = { at: now, done };
      before = done;
      if (now - last < EVERY_MS && done < of) return;
      last = now;
      const percent = of === 0 ? 100 : Math.min(100, Math.floor((done / of) * 100));
      const pace = paceText(done - began.done, of - done, now - began.at);
      line.write(`${what} ${count(done)} of ${count(of)} entries (${percent} %)${pace}`);
    },
    end: line.erase,
  };
}

/** `   45,000/s, 2 s left` */
function paceText(done: number, left: number, tookMs: number): string {
  if (tookMs < KNOWN_AFTER_MS || done <= 0) return "";
  const rate = done / (tookMs / 1000);
  const pace = `   ${count(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate))}/s`;
  return left <= 0 ? pace : `${pace}, ${spanText(left / rate)} left`;
}

/** `2 s`, `3 min 20 s`, `2 h 5 min` */
export function spanText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

interface Line {
  /** In the place of what it says. */
  readonly write: (text: string) => void;
  readonly erase: () => void;
}

/** The line that is written over itself; `undefined` where nobody sits before it. */
export function lineOn({ io, printer }: Where): Line | undefined {
  if (printer.json || !io.terminal.stderr || io.env.TERM === "dumb") return undefined;
  let written = false;
  return {
    write(text) {
      written = true;
      // A line that is wider than the terminal would leave its beginning behind.
      io.stderr(`${ERASE_LINE}${clipped(shown(text), io)}`);
    },
    erase() {
      if (written) io.stderr(ERASE_LINE);
      written = false;
    },
  };
}

const NARROW = 80;

function clipped(text: string, { terminal }: Pick<Io, "terminal">): string {
  const width = (terminal.columns?.() || NARROW) - 1;
  if (Bun.stringWidth(text) <= width) return text;
  let end = text.length;
  while (end > 0 && Bun.stringWidth(text.slice(0, end)) >= width) end--;
  return `${text.slice(0, end)}…`;
}
