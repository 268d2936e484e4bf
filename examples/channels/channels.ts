// A plugin of an operator's: named endpoints of services, by the node that they are reached through. Its table says by which
// route other nodes find one; who carries routes, and to whom, is nothing that is known here.

import { hash } from "node:crypto";
import { authority, command, definePlugin, nameSchema, next, query, refuse, table } from "@capstan/orchestrator";
import { z } from "zod";

const protocol = z.enum(["http:graphql", "http:gql", "tcp:graphql", "http", "tcp"]);

interface Channel {
  /** It stays here: a route has the name and the digest alone. */
  readonly endpoint: string;
  readonly protocol: z.output<typeof protocol>;
  /** For this node's own use: no other is told of it. */
  readonly local: boolean;
}

const channelTable = table<Channel>("channel", "logged", {
  // The same channel at two nodes is the same thing if it speaks the same protocol. Pure, as `decide` is.
  routes: (name, row) => (row.local ? [] : [[`channel:${name}`, hash("sha256", row.protocol, "base64url")]]),
});

const named = z.strictObject({ name: nameSchema });
const described = named.extend({ endpoint: z.url().max(2000), protocol, local: z.boolean().default(false) });
const target = ({ name }: z.output<typeof named>): string => name;

export const channels = () =>
  definePlugin({
    name: "channels",
    version: "1",
    needs: [authority],
    tables: [channelTable],
    messages: {
      channel: {
        create: command({ summary: "Create a channel.", data: described, result: named, target }),
        delete: command({ summary: "Delete a channel.", data: named, result: named, target }),
        list: query({ summary: "List channels.", data: z.strictObject({}), result: z.unknown() }),
      },
    },
    faults: {
      CHANNEL_EXISTS: { status: 409, retryable: false, text: "There is a channel of that name; delete it first." },
      CHANNEL_UNKNOWN: { status: 404, retryable: false, text: "There is no channel of that name." },
    },
    decide({ message, state }) {
      if (message.resource !== "channel" || message.action === "list") return next();
      const { name, ...row } = message.data as z.output<typeof described>;
      const there = state.get(channelTable, name) !== undefined;
      if (message.action === "delete") {
        if (!there) return refuse("CHANNEL_UNKNOWN", `there is no channel "${name}"`);
        return next({ data: { name }, state: state.remove(channelTable, name) });
      }
      if (there) return refuse("CHANNEL_EXISTS", `there is a channel "${name}"`);
      return next({ data: { name }, state: state.put(channelTable, name, row) });
    },
    answer: {
      "channel.list": (_, reader, { reads }) =>
        [...reader.rows(channelTable)].flatMap(([name, row]) => (reads(name) ? [{ name, ...row }] : [])),
    },
  });
