// The one suite that every protocol passes, built-in or an operator's own. It asks through a node's pipeline, as callers do:
// `protocolConformance({ describe, test, expect }, options)` in a file of tests.

import { FaultError, memoryLog } from "@capstan/orchestrator";
import { z } from "zod";
import { parsed } from "../task/compiled-task.ts";
import { conformanceNode, UNTIL_IT_HANGS_MS } from "./conformance-node.ts";
import type { BunTest, ConformanceOptions } from "./conformance-options.ts";

const SECRET = "cönformance +canary/7c1e&=?";
const VARIABLE = "CAPSTAN_CONFORMANCE_SECRET";

/** The suite of tests that every protocol passes. */
export function protocolConformance({ describe, test, expect }: BunTest, options: ConformanceOptions): void {
  /** A test of a situation, or of nothing where it cannot occur: then its name says why. */
  const situation = <Case>(
    what: string,
    made: () => Case | string | Promise<Case | string>,
    body: (one: Case) => Promise<void>,
  ) =>
    test(what, async () => {
      const one = await made();
      if (typeof one === "string") expect(one, `say why it cannot occur: ${what}`).not.toBe("");
      else await body(one);
    });
  const node = async () => conformanceNode(await options.protocol());
  const failing = async (call: Promise<unknown>): Promise<FaultError> => {
    const thrown = await call.then(
      (value) => new Error(`it went through: ${JSON.stringify(value)?.slice(0, 300)}`),
      (error: unknown) => error,
    );
    if (thrown instanceof FaultError) return thrown;
    throw thrown;
  };

  describe("a protocol", () => {
    test("describes itself: a name, a line on what it talks to, and a closed configuration", async () => {
      await using one = await node();
      const described = await one.app.protocol.describe({ name: one.protocol.name });
      expect(described.summary).toBeString();
      expect(described.configuration).toMatchObject({ type: "object", additionalProperties: false });
      expect((await one.app.protocol.list()).items).toContainEqual(
        expect.objectContaining({ name: one.protocol.name }) as never,
      );
    });

    test("takes the configuration that its schema gives, so that it can be checked again", async () => {
      const [protocol, { configuration }] = [await options.protocol(), await options.works()];
      const once = parsed("a", protocol, configuration);
      const kept: unknown = JSON.parse(JSON.stringify(once));
      expect(JSON.stringify(parsed("a", protocol, kept))).toBe(JSON.stringify(once));
    });

    test("works, also for two at once", async () => {
      await using one = await node();
      const works = await options.works();
      await one.register("works", works);
      for (const { output } of await Promise.all([one.perform("works", works), one.perform("works", works)])) {
        if ("output" in works) expect(output).toEqual(works.output);
      }
      const { output } = (await one.perform("works", works)) as { output?: unknown };
      // As the log has it: nothing is left of it that is no JSON.
      expect(output === undefined ? undefined : JSON.parse(JSON.stringify(output))).toEqual(output as never);
    });

    test("answers a test of its connection", async () => {
      await using one = await node();
      const { configuration } = await options.works();
      expect(await one.app.protocol.test({ protocol: one.protocol.name, configuration })).toMatchObject({ ok: true });
    });

    test("with an invalid configuration registers nothing, and says what is wrong", async () => {
      await using one = await node();
      expect(options.invalid, "give at least one invalid configuration").not.toBeEmpty();
      const { configuration } = await options.works();
      const unknown = { configuration: { ...configuration, noSuchField: 1 }, says: "noSuchField" };
      for (const { configuration: invalid, says } of [...options.invalid, unknown]) {
        const fault = await failing(one.register("invalid", { configuration: invalid }));
        expect(fault.code, JSON.stringify(invalid)).toBe("CONFIG_INVALID");
        expect(fault.message).toContain(says);
        const tested = await failing(one.app.protocol.test({ protocol: one.protocol.name, configuration: invalid }));
        expect(tested.code).toBe("CONFIG_INVALID");
      }
      expect((await one.app.action.list()).items).toEqual([]);
    });

    test("has its configuration checked again when it is triggered", async () => {
      await using one = await node();
      const works = await options.works();
      await one.register("works", works);
      one.watched.configSchema = z.strictObject({ neverThere: z.string() });
      const fault = await failing(one.perform("works", works));
      expect(fault.code).toBe("CONFIG_INVALID");
      expect(one.watched.runs).toEqual([]);
    });

    test("asks for the rights that its configuration needs, of who registers and of who tests", async () => {
      await using one = await node();
      const { configuration } = await options.works();
      if ((one.protocol.rights?.(parsed("a", one.protocol, configuration) as never) ?? []).length === 0) return;
      const narrow = await one.scope(["action", "protocol"]);
      const asked = { name: "narrow", protocol: one.protocol.name, configuration };
      expect((await failing(narrow.action.register(asked as never))).code).toBe("REFUSED");
      expect((await failing(narrow.protocol.test({ protocol: one.protocol.name, configuration }))).code).toBe(
        "REFUSED",
      );
    });

    situation(
      "without anybody at the other end fails with its own fault, then and in a test",
      options.unreachable,
      async (gone) => {
        await using one = await node();
        await one.register("gone", gone);
        expect((await failing(one.perform("gone", gone))).code).toBe(gone.code);
        if (one.protocol.testConnection === undefined) return;
        const { configuration } = gone;
        expect((await failing(one.app.protocol.test({ protocol: one.protocol.name, configuration }))).code).toBe(
          gone.code,
        );
      },
    );

    situation("that hangs is ended at its deadline, and stops what it does", options.hangs, async (hangs) => {
      await using one = await node();
      await one.register("hangs", hangs, { timeout: UNTIL_IT_HANGS_MS });
      expect((await failing(one.perform("hangs", hangs))).code).toBe("DEADLINE_EXCEEDED");
      await one.watched.settled();
    });

    situation("that hangs is cancelled, and stops what it does", options.hangs, async (hangs) => {
      await using one = await node();
      await one.register("hangs", hangs);
      const performing = failing(one.perform("hangs", hangs));
      await one.watched.begun();
      const [running] = (await one.app.execution.list({ state: "running" })).items as { id: string }[];
      await one.app.execution.cancel({ id: running?.id as string });
      expect((await performing).code).toBe("CANCELLED");
      await one.watched.settled();
    });

    situation("that fails says so, and works for the next one", options.fails, async (fails) => {
      await using one = await node();
      const works = await options.works();
      await one.register("fails", fails);
      await one.register("works", works);
      const fault = await failing(one.perform("fails", fails));
      expect(fault.code).toBe(fails.code);
      expect(fault.message).not.toBe("");
      await one.perform("works", works);
    });

    situation(
      "keeps a secret out of faults, outputs, log lines and the log",
      () => options.leaks({ secret: `env:${VARIABLE}` }),
      async (leaks) => {
        process.env[VARIABLE] = SECRET;
        const log = memoryLog();
        try {
          await using one = await conformanceNode(await options.protocol(), log);
          await one.register("leaks", leaks);
          const told = await one.perform("leaks", leaks).catch((thrown: FaultError) => thrown.toFault());
          const tested = await one.app.protocol
            .test({ protocol: one.protocol.name, configuration: leaks.configuration })
            .catch((thrown: FaultError) => thrown.toFault());
          const entries = await one.entries();
          for (const text of [JSON.stringify(told), JSON.stringify(tested), one.lines.join("\n"), entries]) {
            for (const form of formsOf(SECRET)) expect(text).not.toContain(form);
          }
          expect(`${JSON.stringify(told)}${one.lines.join("\n")}`, "it has to come out, were it not kept in").toContain(
            `[secret env:${VARIABLE}]`,
          );
        } finally {
          delete process.env[VARIABLE];
        }
      },
    );

    test("with a secret that is not there names the reference, and does nothing", async () => {
      const leaks = await options.leaks({ secret: "env:CAPSTAN_CONFORMANCE_MISSING" });
      if (typeof leaks === "string") return;
      await using one = await node();
      await one.register("missing", leaks);
      const fault = await failing(one.perform("missing", leaks));
      expect(fault.code).toBe("SECRET_UNKNOWN");
      expect(fault.message).toContain("env:CAPSTAN_CONFORMANCE_MISSING");
      expect(one.watched.runs).toEqual([]);
    });

    situation("that gets what is no JSON says so, and the log stays sound", options.notJson, async (strange) => {
      await using one = await node();
      await one.register("strange", strange);
      expect((await failing(one.perform("strange", strange))).code).toBe(strange.code ?? "OUTPUT_INVALID");
      await one.entries();
    });

    test("puts away what it has used", async () => {
      await options.after?.();
    });
  });
}

/** Some of the ways in which a secret is written: enough to notice that it is not looked for. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString("base64").slice(0, -4),
    bytes.toString("hex"),
    "canary/7c1e",
    "canary%2F7c1e",
  ];
}
