// Chapter: the same payloads through every protocol: a script in a sandbox, a program, a request over HTTP, each with what it
// was given beforehand and nothing more.

import { createHash } from "node:crypto";
import { answer, refusal } from "../answers.ts";
import { Collector } from "../collector.ts";
import { batches, deliveries } from "../payloads.ts";
import { inOneBatch } from "../scope.ts";
import { of } from "../story.ts";
import { admin, type Stage } from "./chapter.ts";

/** What a stranger might hand in: it counts what the payload says, and would read the administrator's credential. */
const SCRIPT = `export default function ({ event, payload }) {
  const count = (value) =>
    value === null || typeof value !== "object" ? 1 : Object.values(value).reduce((sum, one) => sum + count(one), 1);
  return { event, values: count(payload) };
}`;

const HOSTILE = `export default () => {
  const outside = (function () {}).constructor("return typeof process + typeof require + typeof Bun + typeof fetch")();
  for (;;) if (outside !== "undefinedundefinedundefinedundefined") return { outside };
}`;

/** 169.254.169.254: where clouds hand out credentials. */
const METADATA = "0xa9.0xfea9fe";

/** A process is started for each: one payload an event is enough to be shown. */
const FIRST_OF_EACH = deliveries.filter(({ event }, i) => deliveries[i - 1]?.event !== event);

export async function protocols(stage: Stage): Promise<void> {
  await script(stage);
  await program(stage);
  await request(stage);
}

async function script(stage: Stage): Promise<void> {
  const { story } = stage;
  const caller = admin(stage);
  await inOneBatch(caller, ({ action }) =>
    Promise.all([
      action.register({ name: "measure", protocol: "script", configuration: { source: SCRIPT }, idempotent: true }),
      action.register({ name: "hostile", protocol: "script", configuration: { source: HOSTILE, time: 100 } }),
    ]),
  );
  const outputs: unknown[] = [];
  // A batch after the other: of scripts only so many may wait.
  for (const numbers of batches()) {
    const measured = await inOneBatch(caller, ({ action }) =>
      Promise.all(numbers.map((i) => answer(action.perform({ name: "measure", input: deliveries[i] })))),
    );
    outputs.push(...measured.map(({ output }) => output));
  }
  const right = outputs.filter((output, i) => {
    const { event, payload } = deliveries[i] as (typeof deliveries)[number];
    return Bun.deepEquals(output, { event, values: valuesIn(payload) }, true);
  }).length;
  story.claim("script: each payload is measured by JavaScript in a sandbox", right === deliveries.length, {
    figure: of(right, deliveries.length),
    found: outputs[0],
  });
  const refused = await refusal(inOneBatch(caller, ({ action }) => action.perform({ name: "hostile", input: {} })));
  story.claim("one that finds nothing outside, and then never ends, is stopped", refused?.code === "SCRIPT_TIME", {
    figure: refused?.code ?? "",
    found: refused,
  });
}

async function program(stage: Stage): Promise<void> {
  const { story } = stage;
  const caller = admin(stage);
  const configuration = { argv: ["/usr/bin/sha256sum"], cwd: "/", stdin: "json", stdout: "text" };
  await inOneBatch(caller, ({ action }) =>
    action.register({
      name: "fingerprint",
      protocol: "process",
      configuration,
      // What the protocol answers, as its caller wants it.
      transform: { input: "payload", output: "{ 'sha256': $substringBefore($, ' ') }" },
    }),
  );
  const answers = await inOneBatch(caller, ({ action }) =>
    Promise.all(FIRST_OF_EACH.map((one) => answer(action.perform({ name: "fingerprint", input: one })))),
  );
  const right = answers.filter(({ output }, i) => {
    const text = JSON.stringify(FIRST_OF_EACH[i]?.payload);
    return Bun.deepEquals(output, { sha256: createHash("sha256").update(text).digest("hex") }, true);
  }).length;
  story.claim("process: one of each event through sha256sum, without a shell", right === FIRST_OF_EACH.length, {
    figure: of(right, FIRST_OF_EACH.length),
    found: answers[0]?.output,
  });
}

async function request(stage: Stage): Promise<void> {
  const { story } = stage;
  const caller = admin(stage);
  using collector = new Collector();
  const forward = (url: string) => ({
    ...{ name: "forward", protocol: "http", configuration: { url, method: "POST", body: "{{input.payload}}" } },
  });
  const inward = await refusal(inOneBatch(caller, ({ action }) => action.register(forward(`http://${METADATA}/`))));
  await inOneBatch(caller, ({ action }) => action.register(forward(`${collector.url}/{{input.event}}`)));
  await inOneBatch(caller, ({ action }) =>
    Promise.all(FIRST_OF_EACH.map((one) => answer(action.perform({ name: "forward", input: one })))),
  );
  const sent = FIRST_OF_EACH.filter(({ event, payload }) =>
    collector.received.some((one) => one.path === `/${event}` && Bun.deepEquals(one.body, payload, true)),
  ).length;
  story.claim("http: one of each event arrives at a server, whole", sent === FIRST_OF_EACH.length, {
    figure: of(sent, FIRST_OF_EACH.length),
    found: collector.received.length,
  });
  story.claim(
    "each with a key of its own, by which a repeat would be told",
    new Set(collector.received.map(({ key }) => key)).size === FIRST_OF_EACH.length,
  );
  story.claim(
    "an address that is not public, however it is spelt, is refused",
    inward?.code === "HTTP_ADDRESS_REFUSED",
    {
      figure: METADATA,
      found: inward,
    },
  );
}

function valuesIn(value: unknown): number {
  if (value === null || typeof value !== "object") return 1;
  return Object.values(value).reduce((sum: number, one) => sum + valuesIn(one), 1);
}
