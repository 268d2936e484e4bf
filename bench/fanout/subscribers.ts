// The load, and those who are handed it: a thousand sessions of one process, each with a subscription, and one that publishes; the
// same for ours and for NATS.

import { type Connected, connect } from "@capstan/orchestrator/client";
import type { Batch, StandardMessages } from "@capstan/plugins";
import { cpuMicros } from "../kernel/machine.ts";
import { answering } from "../kernel/worker.ts";
import { Deliveries, wallClock } from "./deliveries.ts";
import { connectNats, type NatsConnection } from "./nats-client.ts";
import { type Tick, tick } from "./tick.ts";

interface Target {
  publish(one: Tick): Promise<unknown> | undefined;
}

export interface Load {
  readonly target: "ours" | "nats";
  readonly publications: number;
  /** Performings that are not answered yet, at most. */
  readonly inFlight: number;
  /** Milliseconds between two; 0: as fast as they are taken. */
  readonly every: number;
}

const SUBJECT = "tick";
const TOPIC = `action.${SUBJECT}`;
const targets: Partial<Record<Load["target"], Target>> = {};
const handed = new Deliveries();

async function ours(asked: { url: string; token: string; followers: number; receivers: number }): Promise<void> {
  const { url, token, followers, receivers } = asked;
  const open = (): Connected<StandardMessages> => connect({ url, as: { connectionFromCli: token } });
  const { scope } = open();
  await scope.action.register({ name: SUBJECT, protocol: "echo", idempotent: true });
  for (let i = 0; i < receivers; i++) {
    const receiver = `receiver-${i}`;
    await scope.receiver.register({ name: receiver, protocol: "count" });
    await scope.subscription.create({ topic: TOPIC, receiver });
  }
  const callback = ({ publications }: Batch): void => {
    const now = wallClock();
    for (const { data } of publications) handed.add(now - (data as Tick).at);
  };
  for (let i = 0; i < followers; i++) await open().scope.subscription.follow({ topic: TOPIC, callback });
  targets.ours = { publish: (one) => scope.action.perform({ name: SUBJECT, input: one }) };
}

async function nats({ port, followers }: { port: number; followers: number }): Promise<void> {
  const connections: NatsConnection[] = [];
  for (let i = 0; i < followers; i++) {
    const connection = await connectNats(port, (payload) => handed.add(wallClock() - (payload as Tick).at));
    connection.subscribe(SUBJECT);
    connections.push(connection);
  }
  await Promise.all(connections.map((connection) => connection.flush()));
  const publisher = await connectNats(port, () => {});
  targets.nats = {
    publish(one) {
      publisher.publish(SUBJECT, JSON.stringify(one));
      return undefined;
    },
  };
}

/** Publishes; what comes of it is counted where it is handed out. */
async function publish({ target, publications, inFlight, every }: Load): Promise<void> {
  const to = targets[target] as Target;
  let n = 0;
  const one = async (): Promise<void> => {
    while (n < publications) {
      const until = performance.now() + every;
      // Nobody answers what is only sent: some at a time, and the loop gets its turn.
      await (to.publish(tick(n++, wallClock())) ??
        (n % inFlight === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined));
      if (every > 0) await Bun.sleep(Math.max(0, until - performance.now()));
    }
  };
  await Promise.all(Array.from({ length: every > 0 ? 1 : inFlight }, one));
}

answering({
  ours,
  nats,
  publish,
  cpu: cpuMicros,
  expect: (deliveries: number) => handed.expect(deliveries),
  received: () => handed.ended(),
});
