import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { type ActionContext, defineAction, isActionDefinition } from "./define-action.ts";

const input = z.object({ name: z.string(), times: z.coerce.number().default(1) });
const output = z.object({ text: z.string().default("") });
const context = {} as ActionContext;

describe("defineAction", () => {
  test("gives run the parsed input's type, and takes what the output schema takes", async () => {
    const action = defineAction({ input, output, run: ({ name, times }) => ({ text: name.repeat(times) }) });
    const result: { text?: string | undefined } = await action.run({ name: "a", times: 2 }, context);
    expect(result).toEqual({ text: "aa" });
    // @ts-expect-error: times is a number here
    void (() => action.run({ name: "a", times: "2" }, context));
    // @ts-expect-error: text is a string
    defineAction({ input, output, run: () => ({ text: 1 }) });
    defineAction({
      input,
      output,
      run: async (_, { capstan, signal, log }) => {
        log.info({ aborted: signal.aborted }, "shouting");
        const shouted = await capstan.perform("shout", {});
        return { text: String(shouted.output) };
      },
    });
  });

  test("is frozen, recognised, and allows nothing that was not said", () => {
    const action = defineAction({ input, output, run: () => ({}) });
    expect(Object.isFrozen(action) && Object.isFrozen(action.may)).toBe(true);
    expect(action).toMatchObject({ idempotent: false, readOnly: false, may: [], timeout: undefined });
    expect(isActionDefinition(action)).toBe(true);
    for (const other of [null, undefined, 1, {}, { ...{ input, output, run: () => ({}) } }])
      expect(isActionDefinition(other)).toBe(false);
  });

  test.each([
    ["input", { input: { type: "object" } }],
    ["output", { output: undefined }],
    ["run", { run: "code" }],
    ["may", { may: "action.perform:shout" }],
    ["may", { may: ["two words"] }],
    ["timeout", { timeout: -1 }],
    ["idempotent", { idempotent: "yes" }],
    ["readOnly", { readOnly: 1 }],
  ])("names a wrong %s", (option, wrong) => {
    expect(() => defineAction({ input, output, run: () => ({}), ...(wrong as object) })).toThrow(
      `defineAction: ${option} must be`,
    );
  });
});
