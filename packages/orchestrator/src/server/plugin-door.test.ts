import { expect, test } from "bun:test";
import { FaultError, fault } from "../fault/fault.ts";
import type { DoorContext } from "../plugin/plugin.ts";
import { pluginDoor } from "./plugin-door.ts";

function opened(fetch: () => Promise<Response>) {
  const errors: string[] = [];
  const context = {
    refuse: ({ code, message }: { code: string; message: string }) => Response.json({ code, message }, { status: 500 }),
    log: { error: (fields: { error: string }) => void errors.push(fields.error) },
  } as unknown as DoorContext;
  return { open: pluginDoor({ path: "/bell", fetch }, context), errors };
}

test("a door that throws is a refusal with the request's id, and its text stays in the log", async () => {
  const { open, errors } = opened(() => Promise.reject(new Error("password is hunter2")));
  const response = await open(new Request("http://node/bell", { headers: { "x-request-id": "r-7" } }));
  expect([response.status, response.headers.get("x-request-id")]).toEqual([500, "r-7"]);
  expect(await response.text()).not.toContain("hunter2");
  expect(errors.join()).toContain("hunter2");
});

test("a fault that it throws is told, and nobody is woken up by it", async () => {
  const { open, errors } = opened(() => Promise.reject(new FaultError(fault("NOT_FOUND", "no such bell"))));
  expect(await (await open(new Request("http://node/bell"))).json()).toEqual({
    code: "NOT_FOUND",
    message: "no such bell",
  });
  expect(errors).toEqual([]);
});
