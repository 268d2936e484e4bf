// Chapter: calls that depend on each other, and a call for each element of a list that is not there yet, in one round trip.

import { z } from "zod";
import type { Classification, Routed } from "../actions/classification.ts";
import { answer, entriesOf, logLength } from "../answers.ts";
import { deliveries } from "../payloads.ts";
import { counted, inOneBatch, type Scope } from "../scope.ts";
import { admin, type Stage } from "./chapter.ts";

const toldEach = z.array(z.object({ output: z.object({ told: z.string() }) }));

export async function roundTrips(stage: Stage): Promise<void> {
  const { story, workspace } = stage;
  const caller = admin(stage);

  const advisory = deliveries.find(({ event }) => event === "security_advisory");
  let before = await logLength(caller);
  const chain = await counted(() =>
    inOneBatch(caller, ({ action }) => {
      const routed = routeOf(action, advisory);
      return answer(action.perform({ name: "notify", input: routed.output.first }));
    }),
  );
  let performs = await entriesOf(caller, "action.perform", before);
  story.say("classify → route → notify, each on what the one before will give");
  story.claim("three dependent performs", performs === 3, { figure: trips(chain.requests), found: performs });
  story.claim("took one HTTP request", chain.requests === 1, { found: chain.requests });
  story.same("and told the channel for security advisories", chain.value.output, { told: "#security" });

  const release = deliveries.find(({ event, payload }) => event === "release" && payload.action === "published");
  before = await logLength(caller);
  const mapped = await counted(() =>
    inOneBatch(caller, async ({ action }) => {
      const notices = routeOf(action, release).output.notices;
      return toldEach.parse(await notices.map((notice) => action.perform({ name: "notify", input: notice })));
    }),
  );
  performs = await entriesOf(caller, "action.perform", before);
  story.say("classify → route → .map(notice → notify), over a list that only the server sees");
  story.claim("five performs", performs === 5, { figure: trips(mapped.requests), found: performs });
  story.claim("took one HTTP request, the map included", mapped.requests === 1, { found: mapped.requests });
  const channels = mapped.value.map(({ output }) => output.told);
  story.same("and told each channel once", channels, ["#releases", "#engineering", "#support"], channels.join(" "));
  story.same("what they were told is in the outbox, line by line", workspace.outbox.length, 4, "4 lines");
}

function routeOf(action: Scope["action"], delivery: unknown) {
  const classified = action.perform<Classification>({ name: "classify", input: delivery });
  return action.perform<Routed>({ name: "route", input: classified.output });
}

function trips(requests: number): string {
  return `${requests} round trip${requests === 1 ? "" : "s"}`;
}
