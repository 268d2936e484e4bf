// Decides on a witness's findings, and on an operator's acceptance. Pure.

import { next, refuse } from "@capstan/orchestrator";
import type { Context } from "../context.ts";
import { peerTable } from "../schema.ts";
import { unknownPeer } from "../unknown-peer.ts";
import { type Finding, type WitnessRow, witnessTable } from "./witness-schema.ts";

export function decideWitness({ message, envelope, state }: Context) {
  switch (message.action) {
    case "alert": {
      const { name, node, log, ...finding } = message.data as Finding & {
        readonly name: string;
        readonly node: string;
        readonly log: string;
      };
      const before = state.get(witnessTable, node);
      // The first finding is kept, because it tells where the change began.
      if (before?.alert !== undefined) return next();
      const alert = { ...finding, log, at: envelope.at, message: envelope.id };
      return next({ state: state.put(witnessTable, node, { ...before, name, alert } satisfies WitnessRow) });
    }
    case "accept": {
      const { name } = message.data as { readonly name: string };
      const row = state.get(peerTable, name);
      if (row === undefined) {
        const { code, message: text } = unknownPeer(
          name,
          [...state.rows(peerTable)].map(([one]) => one),
        );
        return refuse(code, text);
      }
      const { node } = row;
      if (node === undefined) return refuse("WITNESS_NOTHING", `${name}: nobody has taken the invitation yet`);
      const accepted: WitnessRow = { name, accepted: envelope.at };
      return next({ data: { name, node }, state: state.put(witnessTable, node, accepted) });
    }
    default:
      return next();
  }
}
