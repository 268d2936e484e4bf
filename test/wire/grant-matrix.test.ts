// One grant per message type, and every message asked under each: what is allowed is exactly the diagonal (issue 2, "must show"
// 3). An allowed message may fail for a reason of its own; only REFUSED says that the grant did not cover it.

import { afterEach, expect, test } from "bun:test";
import { startNode, stopNodes } from "./node.ts";
import { faultOf, type Remote, transportNames, transports } from "./session.ts";

afterEach(stopNodes);

/** For every open message, data that its schema takes and that ends by itself. */
const samples: Readonly<Record<string, unknown>> = {
  "action.describe": { name: "absent" },
  "action.recall": { name: "absent", under: "k" },
  "action.schemas": { name: "absent" },
  "action.list": {},
  "action.perform": { name: "absent" },
  "action.publish": { name: "absent", output: 1 },
  "action.register": { name: "greet", protocol: "echo" },
  "action.remove": { name: "absent" },
  "action.update": { name: "absent" },
  "deadLetter.discard": { id: "d-0123456789ABCDEF", reason: "-" },
  "deadLetter.list": {},
  "deadLetter.redrive": { id: "d-0123456789ABCDEF" },
  "deadLetter.show": { id: "d-0123456789ABCDEF" },
  "execution.abandon": { id: "x-0123456789ABCDEF" },
  "execution.cancel": { id: "x-0123456789ABCDEF" },
  "execution.list": {},
  "execution.retry": { id: "x-0123456789ABCDEF" },
  "execution.show": { id: "x-0123456789ABCDEF" },
  "grant.attenuate": { allow: ["log.head"] },
  "grant.create": { principal: "somebody", allow: ["log.head"] },
  "grant.list": {},
  "grant.redeem": { secret: "0123456789abcdef" },
  "grant.revoke": { grant: "g-999" },
  "grant.seal": { grant: "g-999", credential: `sha256-${"0".repeat(43)}` },
  "key.rotate": {},
  "log.checkpoint": {},
  "log.compact": { before: 1 },
  "log.explain": { id: "m-absent" },
  "log.export": { from: 1, limit: 1 },
  "log.head": {},
  "log.list": { limit: 1 },
  "log.proof": { from: 1, to: 1 },
  "log.receipt": { entry: 1 },
  "log.redact": { entry: 999_999, parts: ["body"], reason: "a test" },
  "log.show": { entry: 1 },
  "log.tail": { from: 1, limit: 1 },
  "log.verify": { from: 1, to: 1 },
  "message.attach": { id: "m-absent" },
  "message.list": {},
  "message.settle": { id: "m-absent", hold: "approval", outcome: true },
  "node.metrics": {},
  "principal.create": { name: "nobody" },
  "principal.list": {},
  "principal.revoke": { name: "absent" },
  "protocol.describe": { name: "echo" },
  "protocol.list": {},
  "protocol.test": { protocol: "echo" },
  "receiver.list": {},
  "receiver.register": { name: "mailer", protocol: "echo" },
  "receiver.remove": { name: "absent" },
  "receiver.show": { name: "absent" },
  "receiver.update": { name: "absent" },
  "subscription.acknowledge": { id: "s-0123456789ABCDEF", cursor: "0.l-a" },
  "subscription.create": { topic: "action.absent" },
  "subscription.delete": { id: "s-0123456789ABCDEF" },
  "subscription.follow": { id: "s-0123456789ABCDEF", callback: "live-absent" },
  "subscription.list": {},
  "subscription.read": { id: "s-0123456789ABCDEF" },
  "subscription.redeliver": { id: "s-0123456789ABCDEF", entry: 1 },
  "subscription.resume": { id: "s-0123456789ABCDEF" },
  "subscription.show": { id: "s-0123456789ABCDEF" },
};

test("the samples cover the message table", async () => {
  const { orchestrator } = await startNode();
  const open = [...orchestrator.composition.routes.values()].filter(({ definition }) => !definition.internal);
  expect(Object.keys(samples).sort()).toEqual(open.map(({ name }) => name).sort());
});

test.each(transportNames)("over %s a grant of one message allows that message and no other", async (transport) => {
  const node = await startNode();
  const names = Object.keys(samples);
  for (const granted of names) {
    const { secret } = await node.grant({ allow: [granted] });
    const session: Remote = transports[transport](node.url);
    const scope = session.connectionFromCli(secret);
    const faults = await Promise.all(
      names.map(async (name) => {
        const [resource = "", action = ""] = name.split(".");
        const data = samples[name];
        const [generated, applied] = await Promise.all([
          faultOf(scope[resource][action](data)),
          faultOf(scope.applyAction({ resource, action, data })),
        ]);
        return { name, generated, applied };
      }),
    );
    const allowed = (form: "generated" | "applied") =>
      faults.filter((one) => one[form]?.code !== "REFUSED").map(({ name }) => name);
    expect({ granted, allowed: allowed("generated") }).toEqual({ granted, allowed: [granted] });
    expect({ granted, allowed: allowed("applied") }).toEqual({ granted, allowed: [granted] });
    // A refusal names what was asked and what the grant allows, and is the pipeline's own: no bug, no edge.
    const refused = faults.filter(({ name }) => name !== granted);
    for (const { name, generated } of refused) expect(generated?.message).toContain(name);
    const own = faults.find(({ name }) => name === granted);
    expect(["INTERNAL", "MESSAGE_INVALID", "MESSAGE_UNKNOWN"]).not.toContain(own?.generated?.code ?? "ok");
    if (transport === "WebSocket") session[Symbol.dispose]();
  }
});

test("a clause of a resource allows its verbs, one with a name that name alone, and none the internal messages", async () => {
  const node = await startNode();
  const { secret } = await node.grant({ allow: ["log.*", "action.register:team/*", "execution.*"] });
  const scope = transports.WebSocket(node.url).connectionFromCli(secret);
  expect(await faultOf(scope.log.head())).toBeUndefined();
  expect(await faultOf(scope.action.register({ name: "team/greet", protocol: "echo" }))).toBeUndefined();
  expect(await faultOf(scope.action.register({ name: "other/greet", protocol: "echo" }))).toMatchObject({
    code: "REFUSED",
  });
  const forged = { resource: "execution", action: "complete", data: { execution: "x-0123456789ABCDEF", output: 1 } };
  expect(await faultOf(scope.applyAction(forged))).toMatchObject({ code: "MESSAGE_INTERNAL" });
});
