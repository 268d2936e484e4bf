// `script` against the suite of all protocols.

import { describe, expect, test } from "bun:test";
import { protocolConformance } from "../conformance/protocol-conformance.ts";
import { script } from "./script.ts";

const source = (body: string): { readonly source: string } => ({
  source: `export default function (input) { ${body} }`,
});

protocolConformance(
  { describe, test, expect },
  {
    protocol: () => script({ slots: 1 }),
    works: async () => ({ configuration: source("return input.a + 1;"), input: { a: 1 }, output: 2 }),
    invalid: [
      { configuration: {}, says: "source" },
      { configuration: source("let = ;"), says: "line 1" },
      { configuration: { source: "let a;" }, says: "default export" },
      { configuration: { ...source(""), files: { read: ["srv"] } }, says: "files.read[0]" },
    ],
    unreachable: async () => "it talks to nothing outside",
    hangs: async () => ({ configuration: { ...source("for (;;);"), time: 60_000 }, input: {} }),
    fails: async () => ({ configuration: source("throw new Error('no');"), input: {}, code: "ACTION_FAILED" }),
    leaks: async () =>
      "a source is code that is shown to whoever may read the action: its configuration takes no secret",
    notJson: async () => ({ configuration: source("return () => 1;"), input: {}, code: "ACTION_FAILED" }),
  },
);
