// How far a long command has come: one line that is written over itself, for a person who waits; nothing for anybody else.

import type { Io } from "../io.ts";
import { count } from "./count.ts";

export interface Progress {
  show(done: number, of: number): void;
  /** Takes the line away. */
  end(): void;
}

const ERASE_LINE = "\r\u001b[2K";

export function progressOn({ terminal, env, stderr }: Io, what: string): Progress {
  if (!terminal.stderr || env.TERM === "dumb") return { show() {}, end() {} };
  let shown = -1;
  return {
    show(done, of) {
      const percent = of === 0 ? 100 : Math.floor((done / of) * 100);
      if (percent === shown) return;
      shown = percent;
      stderr(`${ERASE_LINE}${what} ${count(done)} of ${count(of)} entries (${percent} %)`);
    },
    end() {
      if (shown >= 0) stderr(ERASE_LINE);
    },
  };
}
