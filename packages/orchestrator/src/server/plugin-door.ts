// Wraps a plugin's door: refuses the methods that it does not answer, lets pages of admitted origins read its answers (CORS), and puts the
// request's id on every answer.

import { FaultError, fault, faultOf } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import type { Door, DoorContext } from "../plugin/plugin.ts";
import { dressed } from "../rest/answer.ts";
import { optionsResponse } from "../rest/cross-origin.ts";
import { requestIdOf } from "../rest/request-headers.ts";

export function pluginDoor(door: Door, context: DoorContext): (request: Request) => Promise<Response> {
  const { methods } = door;

  async function answer(request: Request): Promise<Response> {
    if (methods === undefined || methods.includes(request.method)) return await door.fetch(request, context);
    if (request.method === "OPTIONS") return optionsResponse(request, [...methods, "OPTIONS"]);
    const text = `${printable(request.method, 20)} is not answered at ${door.path}; there is ${methods.join(", ")}`;
    const refused = context.refuse(fault("METHOD_NOT_ALLOWED", text));
    refused.headers.set("allow", methods.join(", "));
    return refused;
  }

  return async (request) => {
    const response = await answer(request).catch((thrown: unknown) => {
      // A caller who has left reads no answer; that is no error of ours.
      if (!(thrown instanceof FaultError) && !request.signal.aborted) {
        const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
        context.log.error({ door: door.path, error }, "a plugin's door failed");
      }
      return context.refuse(faultOf(thrown));
    });
    return dressed(request, response, requestIdOf(request.headers));
  };
}
