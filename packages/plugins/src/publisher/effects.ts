// Carries out a redelivery of a failed publication: at once, outside of the subscription's order.

import { type EffectHandler, type Fault, FaultError, fault, type Message } from "@capstan/orchestrator";
import type { Deliveries } from "./delivery/deliveries.ts";
import { deliver } from "./delivery/delivery.ts";
import { type Redelivery, receiverTable, subscriptionTable } from "./schema.ts";

/** @param running resolves to the deliveries once the node runs: an effect left by the last start may come before that */
export function redeliver(running: () => Promise<Deliveries>): EffectHandler {
  return {
    async carryOut(effect, runtime) {
      const redelivery = effect.data as Redelivery;
      const { id, entry } = redelivery;
      const deliveries = await running();
      const receiver = runtime.get(receiverTable, redelivery.receiver);
      const [one] = await deliveries.history.at(entry);
      if (receiver === undefined) return outcome(redelivery, fault("RECEIVER_UNKNOWN", `${id}: the receiver is gone`));
      if (one === undefined)
        return outcome(redelivery, fault("PART_ERASED", `${id}: what entry ${entry} published is gone`));
      const row = runtime.get(subscriptionTable, id);
      if (row === undefined)
        return outcome(redelivery, fault("SUBSCRIPTION_UNKNOWN", `there is no subscription ${id} any more`));
      const refusal = deliveries.readers.refusal(row, one);
      if (refusal !== undefined) return outcome(redelivery, refusal);
      return outcome(
        redelivery,
        await deliver(deliveries, { subscription: id, receiver, one, attempt: 1 }, runtime.signal),
      );
    },
    failed: ({ data }, error) => outcome(data as Redelivery, error),
    lost: ({ data }) => outcome(data as Redelivery, fault("INTERNAL", "nobody knows what came of it")),
  };
}

function outcome(redelivery: Redelivery, failed: Fault | undefined): Message {
  const error = failed instanceof FaultError ? failed.toFault() : failed;
  const data = error === undefined ? redelivery : { ...redelivery, error };
  return { resource: "subscription", action: "redelivered", data };
}
