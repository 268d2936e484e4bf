// Chapter: TypeScript modules become actions, registered over the wire in one round trip.

import { z } from "zod";
import { logLength } from "../answers.ts";
import { counted, inOneBatch } from "../scope.ts";
import { of } from "../story.ts";
import { admin, type Stage } from "./chapter.ts";

export const ACTIONS = ["classify", "digest", "notify", "route"];

const listed = z.object({ items: z.array(z.object({ name: z.string(), revision: z.number() })) });
const described = z.object({
  input: z.object({ required: z.array(z.string()) }),
  output: z.object({ properties: z.record(z.string(), z.unknown()) }),
});

export async function modules(stage: Stage): Promise<void> {
  const { story } = stage;
  const caller = admin(stage);
  const before = await logLength(caller);

  const { requests } = await counted(() =>
    inOneBatch(caller, ({ action }) =>
      Promise.all(ACTIONS.map((name) => action.register({ name, configuration: { module: `./actions/${name}.ts` } }))),
    ),
  );
  story.claim("one HTTP request registers all of them", requests === 1, { found: requests });
  const { items } = listed.parse(await inOneBatch(caller, ({ action }) => action.list({})));
  story.same(
    "each is there, at its first revision",
    items.map(({ name, revision }) => [name, revision]),
    ACTIONS.map((name) => [name, 1]),
    of(items.length, ACTIONS.length),
  );

  const { input, output } = described.parse(
    await inOneBatch(caller, ({ action }) => action.describe({ name: "classify" })),
  );
  const fields = Object.keys(output.properties);
  story.say(`classify: {${input.required.join(", ")}} → {${fields.join(", ")}}`);
  story.same(
    "its schemas are those that the module wrote in zod",
    [input.required, fields],
    [
      ["event", "payload"],
      ["kind", "repository", "private", "archived", "actor", "summary"],
    ],
  );
  const entries = (await logLength(caller)) - before;
  story.claim("a registration is an entry of the log, a question is not", entries === ACTIONS.length, {
    figure: `${entries} entries`,
    found: entries,
  });
}
