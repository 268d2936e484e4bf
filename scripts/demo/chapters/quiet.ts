// Chapter: a plugin of the operator's refuses to tell anyone of private repositories, whoever asks.

import type { Routed } from "../actions/classification.ts";
import { answer, explain, type Fault, refusal, told } from "../answers.ts";
import { expectedNotices } from "../expected.ts";
import { batches } from "../payloads.ts";
import { inOneBatch } from "../scope.ts";
import { figure, of } from "../story.ts";
import { admin, type Stage } from "./chapter.ts";

export async function quiet(stage: Stage, classifications: readonly unknown[]): Promise<void> {
  const { story, workspace } = stage;
  const caller = admin(stage);
  const toldBefore = workspace.outbox.length;

  // Delivery by delivery: the fault that telling of it was refused with.
  const faults: (Fault | undefined)[] = [];
  for (const numbers of batches()) {
    const answered = await inOneBatch(caller, ({ action }) =>
      Promise.all(
        numbers.map((i) => {
          const routed = action.perform<Routed>({ name: "route", input: classifications[i] });
          return refusal(answer(action.perform({ name: "notify", input: routed.output.first })));
        }),
      ),
    );
    faults.push(...answered);
  }

  const expected = expectedNotices();
  const refused = faults.filter((fault) => fault !== undefined);
  const right = faults.filter((fault, i) => (fault?.code === "QUIET_REPOSITORY") === expected[i]?.quiet).length;
  story.claim(
    "whoever may be told is, and of private repositories nobody",
    right === expected.length && refused.every(({ code }) => code === "QUIET_REPOSITORY"),
    { figure: of(right, expected.length), found: refused.find(({ code }) => code !== "QUIET_REPOSITORY") },
  );
  const quietOnes = expected.filter(({ quiet }) => quiet).length;
  story.claim("the plugin refuses with a code of its own", refused.length === quietOnes && quietOnes > 0, {
    figure: `QUIET_REPOSITORY, ${of(refused.length, quietOnes)}`,
  });
  const channels = workspace.outbox.slice(toldBefore).map(({ channel }) => channel);
  const loud = expected.filter(({ quiet }) => !quiet).map(({ channel }) => channel);
  story.same(
    "the outbox has a line for every other, and no more",
    channels.sort(),
    loud.sort(),
    `${figure(loud.length)} lines`,
  );

  const why = await explain(caller, refused[0]?.id);
  story.say(told(why));
  const named = why.plugins.find(({ verdict }) => verdict === "refused");
  const executor = why.plugins.find(({ plugin }) => plugin === "executor");
  story.same("the explanation names the plugin and its reason", named, {
    plugin: "quiet-repositories",
    verdict: "refused",
    clause: "private repositories are quiet",
  });
  story.claim("the executor was never asked", executor?.verdict === "not reached", { found: executor });
}
