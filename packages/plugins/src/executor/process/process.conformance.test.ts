import { describe, expect, test } from "bun:test";
import { protocolConformance } from "../conformance/protocol-conformance.ts";
import { process as processProtocol } from "./process.ts";

const sh = (script: string) => ({ argv: ["sh", "-c", script], cwd: "/" });

protocolConformance(
  { describe, test, expect },
  {
    protocol: () => processProtocol(),
    works: () => ({
      configuration: { argv: ["cat"], cwd: "/", stdin: "json", stdout: "json" },
      input: { name: "Ada" },
      output: { name: "Ada" },
    }),
    invalid: [
      { configuration: { cwd: "/" }, says: "argv" },
      { configuration: { argv: ["no-such-program-x"], cwd: "/" }, says: "no-such-program-x" },
      { configuration: { argv: ["{{input.program}}"], cwd: "/" }, says: "argv[0]" },
      { configuration: { argv: ["true"], cwd: "." }, says: "cwd" },
      { configuration: { argv: ["true"], cwd: "/nowhere" }, says: "/nowhere" },
    ],
    unreachable: () => "a test of its connection runs nothing; a program that is missing is CONFIG_INVALID",
    hangs: () => ({ configuration: sh("trap '' TERM; while :; do sleep 60; done") }),
    fails: () => ({ configuration: sh("echo no >&2; exit 3"), code: "PROCESS_FAILED" }),
    leaks: (secret) => ({ configuration: { ...sh('echo "$KEY" >&2; exit 1'), env: { KEY: secret } } }),
    notJson: () => ({ configuration: { ...sh("echo no"), stdout: "json" }, code: "PROCESS_OUTPUT_INVALID" }),
  },
);
