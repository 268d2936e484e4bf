// A process for tests: a directory of its own, an environment of its own, streams that are kept.

import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Io } from "./io.ts";

export interface TestIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
}

export function testIo(env: Io["env"] = {}, stdin: string | Uint8Array = ""): TestIo {
  let out = "";
  let err = "";
  return {
    cwd: realpathSync(mkdtempSync(join(tmpdir(), "capstan-cli-"))),
    env,
    terminal: { stdout: false, stderr: false },
    stdout: (text) => {
      out += text;
    },
    stderr: (text) => {
      err += text;
    },
    stdin: async () => (typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin),
    strays() {},
    stopped: () => Promise.resolve(),
    after(milliseconds, call) {
      const timer = setTimeout(call, milliseconds);
      return () => clearTimeout(timer);
    },
    out: () => out,
    err: () => err,
  };
}
