// Chapter: publications. What was classified long before anybody subscribed reaches a receiver, and a live subscriber that is
// killed and goes on where it was; what cannot be delivered waits as a dead letter until it is redriven.

import { z } from "zod";
import { refusal } from "../answers.ts";
import { capstan } from "../capstan.ts";
import { Collector } from "../collector.ts";
import { deliveries } from "../payloads.ts";
import { type Caller, inOneBatch } from "../scope.ts";
import { figure, of } from "../story.ts";
import { Tail } from "../tail.ts";
import { admin, type Stage } from "./chapter.ts";

const TOPIC = "action.classify";
const executions = z.object({ items: z.array(z.unknown()) });
const letters = z.object({ items: z.array(z.object({ id: z.string(), name: z.string(), code: z.string() })) });

export async function publications(stage: Stage): Promise<void> {
  await receiver(stage);
  await killed(stage);
  await deadLetter(stage);
}

async function receiver(stage: Stage): Promise<void> {
  const { story, workspace } = stage;
  const caller = admin(stage);
  await inOneBatch(caller, ({ receiver, subscription }) =>
    Promise.all([
      receiver.register({
        name: "tally",
        configuration: { module: "./actions/tally.ts" },
        may: ["action.perform:digest"],
      }),
      subscription.create({ topic: TOPIC, receiver: "tally", from: "start" }),
    ]),
  );
  const classified = await classifiedBy(caller);
  const tallied = await workspace.tallied(classified);
  const cursors = new Set(tallied.map(({ cursor }) => cursor));
  story.claim(
    "a receiver that subscribes now is handed what was published before, each once",
    tallied.length === classified && cursors.size === classified && classified >= deliveries.length,
    { figure: of(cursors.size, classified), found: tallied.length },
  );
  const before = tallied.length;
  await inOneBatch(caller, ({ action }) => action.perform({ name: "classify", input: deliveries[0] }));
  const [last] = (await workspace.tallied(before + 1)).slice(before);
  story.claim("and then what is published from there on", last !== undefined && !cursors.has(last.cursor));
  story.claim(
    "it performs what its registration covers, without a credential, and is refused the rest",
    tallied.every(({ digest, remove }) => digest === "done" && remove === "REFUSED"),
    { found: tallied.find(({ digest, remove }) => digest !== "done" || remove !== "REFUSED") },
  );
}

/** How often `classify` was performed until now. */
async function classifiedBy(caller: Caller): Promise<number> {
  const data = { action: "classify", state: "done", limit: 1000 };
  const { items } = executions.parse(
    await inOneBatch(caller, (scope) => scope.applyAction({ resource: "execution", action: "list", data })),
  );
  return items.length;
}

async function killed(stage: Stage): Promise<void> {
  const { story, workspace } = stage;
  const caller = admin(stage);
  const all = await classifiedBy(caller);
  const first = new Tail(workspace.directory, TOPIC, "start");
  const seen = await first.read(100);
  await first.kill();
  await inOneBatch(caller, ({ action }) => action.perform({ name: "classify", input: deliveries[1] }));
  const second = new Tail(workspace.directory, TOPIC, seen.at(-1)?.cursor ?? "start");
  const rest = await second.read(all + 1 - seen.length);
  await second.kill();
  const cursors = new Set([...seen, ...rest].map(({ cursor }) => cursor));
  const entries = [...seen, ...rest].map(({ cursor }) => Number.parseInt(cursor, 10));
  story.claim(
    "a live subscriber is killed, and goes on from its cursor: no gap, no repeat, in order",
    cursors.size === all + 1 && entries.every((entry, i) => i === 0 || entry > (entries[i - 1] as number)),
    { figure: `${figure(seen.length)} + ${figure(rest.length)}`, found: cursors.size },
  );
}

async function deadLetter(stage: Stage): Promise<void> {
  const { story, workspace } = stage;
  const caller = admin(stage);
  using collector = new Collector();
  collector.up = false;
  const configuration = { url: `${collector.url}/report`, method: "POST", body: "{{input}}" };
  await inOneBatch(caller, ({ action }) =>
    action.register({ name: "report", protocol: "http", configuration, attempts: 2, backoff: 20 }),
  );
  const failed = await refusal(
    inOneBatch(caller, ({ action }) => action.perform({ name: "report", input: { deliveries: deliveries.length } })),
  );
  const listed = letters.parse(
    await inOneBatch(caller, (scope) =>
      scope.applyAction({ resource: "deadLetter", action: "list", data: { name: "report" } }),
    ),
  );
  const [letter] = listed.items;
  story.claim("an action that fails each of its attempts becomes a dead letter", letter !== undefined, {
    figure: failed?.code ?? "",
    found: failed,
  });
  collector.up = true;
  const redriven = await capstan(workspace.directory, "deadLetter", "redrive", letter?.id ?? "", "--json");
  const after = letters.parse(
    await inOneBatch(caller, (scope) =>
      scope.applyAction({ resource: "deadLetter", action: "list", data: { name: "report" } }),
    ),
  );
  story.claim(
    "redriven, it is performed: once, and the letter is gone",
    redriven.code === 0 && collector.received.length === 1 && after.items.length === 0,
    { found: { redriven: redriven.stderr, received: collector.received.length, left: after.items.length } },
  );
}
