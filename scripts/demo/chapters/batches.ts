// Chapter: every payload is classified, in pipelined HTTP batches, each with a digest of what the batch itself gives.

import { answer, logLength } from "../answers.ts";
import { expectedClassifications, expectedDigest } from "../expected.ts";
import { batches, deliveries } from "../payloads.ts";
import { counted, inOneBatch } from "../scope.ts";
import { figure, of } from "../story.ts";
import { admin, type Stage } from "./chapter.ts";

/** Answers what `classify` gave, delivery by delivery. */
export async function classifyAll(stage: Stage): Promise<readonly unknown[]> {
  const { story } = stage;
  const caller = admin(stage);
  const all = batches();
  const before = await logLength(caller);

  const begun = performance.now();
  const { value, requests } = await counted(() =>
    Promise.all(
      all.map((numbers) =>
        inOneBatch(caller, async ({ action }) => {
          const classified = numbers.map((i) => action.perform({ name: "classify", input: deliveries[i] }));
          // What is not there yet is an input already.
          const events = classified.map(({ output }) => output);
          const digested = answer(action.perform({ name: "digest", input: { events } }));
          return { classified: await Promise.all(classified.map(answer)), digested: await digested };
        }),
      ),
    ),
  );
  const seconds = (performance.now() - begun) / 1000;

  const classifications = value.flatMap(({ classified }) => classified.map(({ output }) => output));
  const expected = expectedClassifications();
  const right = classifications.filter((one, i) => Bun.deepEquals(one, expected[i], true)).length;
  const digests = all.filter((numbers, i) =>
    Bun.deepEquals(value[i]?.digested.output, expectedDigest(numbers[0] as number, numbers.at(-1) as number), true),
  ).length;
  const performs = deliveries.length + all.length;
  story.say(`${figure(performs)} performs, each durable: ${figure(performs / seconds)} a second`);
  story.claim("a batch is one HTTP request", requests === all.length, { figure: of(requests, all.length) });
  story.claim(
    "each payload is classified as SQL over the payloads says",
    right === deliveries.length && classifications.length === deliveries.length,
    { figure: of(right, deliveries.length) },
  );
  story.claim("each batch digests answers that were not there when it was sent", digests === all.length, {
    figure: of(digests, all.length),
    found: value.map(({ digested }) => digested.output),
  });
  const entries = (await logLength(caller)) - before;
  story.claim(
    "each perform is an entry, and one more where its outcome came later",
    performs <= entries && entries <= 2 * performs,
    {
      figure: `${figure(entries)} entries`,
      found: entries,
    },
  );
  return classifications;
}
