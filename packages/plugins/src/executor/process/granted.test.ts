// Both protocols that reach out of the node, under a grant that covers a part of what can be configured.

import { describe, expect, test } from "bun:test";
import { conformanceNode } from "../conformance/conformance-node.ts";
import { http } from "../http/http.ts";
import { callOf, faultFrom } from "../template/call.fixture.ts";
import { process as processProtocol } from "./process.ts";

describe("a registrant", () => {
  test("has programs run that the grant names, by whatever name they are asked for", async () => {
    const protocol = processProtocol();
    await using node = await conformanceNode(protocol);
    const [right] = protocol.rights?.(callOf(protocol, { argv: ["cat"], cwd: "/" }).configuration) ?? [];
    const program = right?.name ?? "";
    expect(program).toMatch(/^\/(usr\/)?bin\/cat$/);
    const narrow = await node.scope(["action", `process.run:${program}`]);
    const register = (argv: readonly string[]) =>
      narrow.action.register({ name: "it", protocol: "process", configuration: { argv, cwd: "/", stdin: "json" } });
    for (const argv of [["ls"], ["/bin/sh", "-c", "id"]]) {
      expect((await faultFrom(() => register(argv))).code).toBe("REFUSED");
    }
    await register(["cat"]);
    expect((await narrow.action.perform({ name: "it", input: 7 })).output).toBe("7");
  });

  test("reaches what is not public only where operator and grant both say so", async () => {
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json("here") });
    const configuration = { url: `http://127.0.0.1:${server.port}/` };
    await using closed = await conformanceNode(http());
    await using open = await conformanceNode(http({ allow: ["127.0.0.1"] }));
    const register = async (node: typeof open, allow: readonly string[]) => {
      const scope = await node.scope(allow);
      return scope.action.register({ name: "it", protocol: "http", configuration });
    };
    expect((await faultFrom(() => register(closed, ["*"]))).code).toBe("HTTP_ADDRESS_REFUSED");
    expect((await faultFrom(() => register(open, ["action"]))).code).toBe("REFUSED");
    expect((await faultFrom(() => register(open, ["action", "http.connect:127.0.0.1:1"]))).code).toBe("REFUSED");
    await register(open, ["action", `http.connect:127.0.0.1:${server.port}`]);
    expect((await open.app.action.perform({ name: "it" })).output).toBe("here");
    await server.stop(true);
  });
});
