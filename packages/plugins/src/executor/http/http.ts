// The protocol `http`: one templated request to one origin. Public addresses are open to every registrant; any other needs the
// operator's list, and the registrant's right on the host.

import { FaultError, type Right } from "@capstan/orchestrator";
import { defineProtocol, type Protocol } from "../protocol.ts";
import { named } from "../task/compiled-task.ts";
import { allowList } from "./address/allow-list.ts";
import {
  hostAndPort,
  hostOf,
  needsAllowance,
  type Resolve,
  refusedHost,
  systemResolve,
} from "./address/checked-address.ts";
import { testHttp } from "./connect.ts";
import { exchange, type Network } from "./exchange.ts";
import { httpFaults } from "./http-faults.ts";
import { type HttpCall, httpConfigSchema, originOf, validateHttp } from "./http-schema.ts";
import { isExpected, outcomeOf } from "./outcome.ts";
import { requestOf } from "./request.ts";

/** Where the protocol `http` may send requests. */
export interface HttpOptions {
  /** Hosts that are not public and may be reached: `127.0.0.1:8080`, `10.0.0.0/8`, `intern.example:443`. Default: none. */
  readonly allow?: readonly string[];
  /** PEM certificates to trust beside the public ones. */
  readonly ca?: readonly string[];
  /** Every address of a name. Default: as the machine resolves names. */
  readonly resolve?: Resolve;
}

/** Throws a TypeError where `allow` has an entry that cannot be read. */
export function http({ allow = [], ca = [], resolve = systemResolve }: HttpOptions = {}): Protocol {
  const network: Network = { allow: allowList(allow), resolve, ca };
  return defineProtocol({
    name: "http",
    summary: "A request to an HTTP service.",
    faults: httpFaults,
    configSchema: httpConfigSchema,
    validateConfig(configuration) {
      const origin = originOf(configuration.url);
      if ("code" in origin) return origin;
      return validateHttp(configuration) ?? refusedHost(hostOf(origin), network.allow);
    },
    rights({ url }): readonly Right[] {
      const origin = originOf(url);
      if ("code" in origin) return [];
      const host = hostOf(origin);
      if (!needsAllowance(host, network.allow)) return [];
      return [{ resource: "http", verb: "connect", name: hostAndPort(host) }];
    },
    async testConnection({ url }, signal) {
      const origin = originOf(url);
      return "code" in origin ? origin : testHttp(origin, network, signal);
    },
    async execute(call) {
      try {
        call.signal.throwIfAborted();
        return await answerOf(call, network);
      } catch (thrown) {
        throw thrown instanceof FaultError ? new FaultError(named(call.task.name, thrown.toFault())) : thrown;
      }
    },
  });
}

async function answerOf(call: HttpCall, network: Network): Promise<unknown> {
  const { redirects, url } = call.configuration;
  const request = requestOf(call);
  const origin = originOf(url);
  if ("code" in origin) throw new FaultError(origin);
  if (request.url.origin !== origin.origin) throw new Error("the input changed where the request goes");
  const expected = (status: number) => isExpected(call.configuration, status);
  return outcomeOf(await exchange(request, redirects, expected, network, call.signal), call);
}
