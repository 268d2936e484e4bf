// What an action's code may ask for: under its registrant's grant, narrowed by the action's `may`, and only so deep.

import { describe, expect, test } from "bun:test";
import { FaultError } from "@capstan/orchestrator";
import { echo, faultFrom, granted, protocol, startHub } from "../../hub.fixture.ts";

/** Performs the action that its input names, and gives what came of it. */
const calls = protocol("calls", async ({ capstan, input }) => {
  const { name, ...rest } = input as { name: string; input?: unknown };
  try {
    return (await capstan.perform(name, rest.input)).output;
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return { refused: thrown.code };
  }
});
const applies = protocol("applies", ({ capstan, input }) => capstan.apply(input as never));

describe("an action's code", () => {
  test("performs what its `may` names, and nothing else, whoever asked for it", async () => {
    const { app, hub } = await startHub({ protocols: [echo, calls] });
    await app.action.register({ name: "greet", protocol: "echo" });
    await app.action.register({ name: "secret", protocol: "echo" });
    await app.action.register({ name: "outer", protocol: "calls", may: ["action.perform:greet"] });
    expect(await app.action.perform({ name: "outer", input: { name: "greet", input: 1 } })).toMatchObject({
      output: 1,
    });
    // The caller may perform `outer` alone: what `outer` does then is its registrant's affair.
    const { scope } = await granted(hub, { principal: "bob", allow: ["action.perform:outer"] });
    expect(await scope.action.perform({ name: "outer", input: { name: "greet", input: 2 } })).toMatchObject({
      output: 2,
    });
    expect(await app.action.perform({ name: "outer", input: { name: "secret" } })).toMatchObject({
      output: { refused: "REFUSED" },
    });
  });

  test("may ask for nothing where its `may` says nothing", async () => {
    const { app } = await startHub({ protocols: [applies] });
    await app.action.register({ name: "a", protocol: "applies" });
    const input = { resource: "log", action: "head", data: {} };
    expect(await faultFrom(app.action.perform({ name: "a", input }))).toMatchObject({
      code: "REFUSED",
      message: "it may ask for nothing here; asked log.head",
    });
    await app.action.update({ name: "a", may: ["log.head"] });
    expect(await app.action.perform({ name: "a", input })).toMatchObject({ output: { node: "n-test" } });
  });

  test("has no more than its registrant has, nor longer", async () => {
    const { app, hub } = await startHub({ protocols: [echo, calls] });
    await app.action.register({ name: "greet", protocol: "echo" });
    const bob = await granted(hub, { principal: "bob", allow: ["action.register", "action.perform:greet"] });
    await bob.scope.action.register({ name: "outer", protocol: "calls", may: ["*"] });
    const perform = (name: string) => app.action.perform({ name: "outer", input: { name } });
    expect(await perform("greet")).toHaveProperty("execution");
    expect(await perform("outer")).toMatchObject({ output: { refused: "REFUSED" } });
    await app.grant.revoke({ grant: bob.id });
    expect(await perform("greet")).toMatchObject({ output: { refused: "GRANT_REVOKED" } });
  });

  test("registered by a scope that was itself narrowed has what both leave", async () => {
    const { app, hub } = await startHub({ protocols: [echo, calls] });
    await app.action.register({ name: "a", protocol: "echo" });
    await app.action.register({ name: "b", protocol: "echo" });
    using me = await hub.scope({ principal: "me", allow: ["action.register", "action.perform:a"] });
    await me.action.register({ name: "outer", protocol: "calls", may: ["action.perform"] });
    const perform = (name: string) => app.action.perform({ name: "outer", input: { name, input: 1 } });
    expect(await perform("a")).toMatchObject({ output: 1 });
    expect(await perform("b")).toMatchObject({ output: { refused: "REFUSED" } });
  });

  test("is lent nothing by an update of somebody else's, who has to say what it may", async () => {
    const { app, hub } = await startHub({ protocols: [echo, calls] });
    await app.action.register({ name: "secret", protocol: "echo" });
    const admin = await granted(hub, { principal: "admin", allow: ["*"] });
    const bob = await granted(hub, { principal: "bob", allow: ["action.register", "action.update"] });
    await bob.scope.action.register({ name: "outer", protocol: "calls", may: ["*"] });
    expect(await faultFrom(admin.scope.action.update({ name: "outer", timeout: 5 }))).toMatchObject({
      code: "MAY_UNSAID",
      details: { may: ["*"] },
    });
    await bob.scope.action.update({ name: "outer", timeout: 5 });
    await admin.scope.action.update({ name: "outer", may: ["action.perform:greet"] });
    const performed = await app.action.perform({ name: "outer", input: { name: "secret" } });
    expect(performed).toMatchObject({ output: { refused: "REFUSED" } });
  });

  test("keeps no more over an update than the scope had that it was registered in", async () => {
    const { app, hub } = await startHub({ protocols: [echo, calls] });
    await app.action.register({ name: "secret", protocol: "echo" });
    using me = await hub.scope({ principal: "me", allow: ["action.register"] });
    await me.action.register({ name: "outer", protocol: "calls", may: ["*"] });
    await app.action.update({ name: "outer", timeout: 5000 });
    const performed = await app.action.perform({ name: "outer", input: { name: "secret" } });
    expect(performed).toMatchObject({ output: { refused: "REFUSED" } });
  });

  test("is kept as strictly over an update as it was registered, until it is other code", async () => {
    let digest = "sha256-1";
    const coded = { ...applies, name: "coded", inspect: async () => ({ digest, may: ["log.head", "action.list"] }) };
    const { app } = await startHub({ protocols: [coded] });
    const mayNow = async () => ((await app.action.describe({ name: "a" })) as unknown as { may: unknown }).may;
    await app.action.register({ name: "a", protocol: "coded", may: ["log.head"] });
    await app.action.update({ name: "a", timeout: 5 });
    expect(await mayNow()).toEqual(["log.head"]);
    digest = "sha256-2";
    await app.action.update({ name: "a" });
    expect(await mayNow()).toEqual(["log.head", "action.list"]);
  });

  test("leaves a trail: the nested performing is caused by the outer one, in its registrant's name", async () => {
    const { app, hub } = await startHub({ protocols: [echo, calls] });
    await app.action.register({ name: "greet", protocol: "echo" });
    const bob = await granted(hub, { principal: "bob", allow: ["action.*"] });
    await bob.scope.action.register({ name: "outer", protocol: "calls", may: ["action.perform:greet"] });
    const { execution } = await app.action.perform({ name: "outer", input: { name: "greet" } });
    const outer = execution.replace("x-", "m-");
    const { items } = await app.log.list({ message: "action.perform" });
    expect(items.map(({ principal, cause }) => [principal, cause])).toEqual([
      ["bob", outer],
      ["app", undefined],
    ]);
  });

  test("that performs itself ends where causes are too deep to be meant", async () => {
    const self = protocol("self", ({ capstan }) => capstan.perform("self"));
    const { app } = await startHub({ protocols: [self] });
    await app.action.register({ name: "self", protocol: "self", may: ["action.perform:self"] });
    expect(await faultFrom(app.action.perform({ name: "self" }))).toMatchObject({ code: "HOPS_EXCEEDED" });
    const { items } = await app.log.list({ message: "action.perform" });
    expect(items).toHaveLength(18);
    expect(items.map(({ verdict }) => verdict).slice(0, 2)).toEqual(["refused", "done"]);
  });
});
