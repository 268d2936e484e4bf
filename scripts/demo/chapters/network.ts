// Chapter: three orchestrators, each under an administration of its own, perform for each other; a site dies, somebody refuses two
// hops away, and one who rewrites its log is caught by its neighbour.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { answer, refusal } from "../answers.ts";
import { expectedClassifications, expectedNotices } from "../expected.ts";
import { deliveries } from "../payloads.ts";
import { inOneBatch, openSession, type Scope } from "../scope.ts";
import { NOTHING, passing, peer, Site } from "../sites.ts";
import { figure, of } from "../story.ts";
import type { Stage } from "./chapter.ts";

/** As many as are on their way at once; half way through, the nearest site that has the action dies. */
const IN_FLIGHT = 16;

const witnessed = z.object({ state: z.string(), size: z.number().optional(), entry: z.number().optional() });
/** What a witness calls a log that is another than it was. */
const REWRITTEN = ["forked", "rewound"];

interface Sites {
  readonly berlin: Site;
  readonly osaka: Site;
  readonly quito: Site;
}

export async function network({ story, workspace }: Stage): Promise<void> {
  const within = join(workspace.directory, "sites");
  mkdirSync(within);
  const [berlin, osaka, quito] = await Promise.all([
    Site.start("berlin", within),
    Site.start("osaka", within),
    Site.start("quito", within),
  ]);
  const sites = { berlin, osaka, quito };
  await joined(sites, story);
  await refusedFarAway(sites, story);
  await siteDies(sites, story);
  await rewritten(sites, story);
  await Promise.all([berlin.stop(), quito.stop()]);
}

type Story = Stage["story"];

/** berlin has nothing; osaka and quito both classify; what quito alone can do, osaka tells on. */
async function joined({ berlin, osaka, quito }: Sites, story: Story): Promise<void> {
  const module = (name: string) => ({ name, configuration: { module: `./actions/${name}.ts` } });
  await inOneBatch(osaka.caller, ({ action }) => action.register(module("classify")));
  await inOneBatch(quito.caller, ({ action }) =>
    Promise.all([action.register(module("classify")), action.register(module("notify"))]),
  );
  const both = ["action:classify", "action:notify"];
  const joining = [
    [quito, osaka, NOTHING, "action:notify", passing(both, { ofOthers: true })],
    [osaka, berlin, NOTHING, passing(both), passing(both, { ofOthers: true })],
    [quito, berlin, NOTHING, "action:classify", "action:classify"],
  ] as const;
  const told = [];
  for (const [inviting, joins, imports, exports, taken] of joining) {
    const said = await peer(inviting, joins, { imports, exports }, { imports: taken, exports: NOTHING });
    story.say(`${joins.name}: ${said.stdout.trim()}`);
    told.push(said);
  }
  story.claim(
    "three orchestrators peer: an invitation each, and two commands",
    told.every(({ code }) => code === 0),
    {
      found: told.map(({ stderr }) => stderr).join(""),
    },
  );
}

async function refusedFarAway({ berlin }: Sites, story: Story): Promise<void> {
  const notices = expectedNotices();
  const loud = notices.findIndex(({ quiet }) => !quiet);
  const quiet = notices.findIndex((notice) => notice.quiet);
  const about = (index: number) => {
    const {
      repository,
      private: isPrivate,
      archived,
    } = expectedClassifications()[index] as ReturnType<typeof expectedClassifications>[number];
    return { channel: "office", text: "from berlin", repository, private: isPrivate, archived };
  };
  const notify = (index: number) =>
    inOneBatch(berlin.caller, ({ action }) => action.perform({ name: "notify", input: about(index) }));
  const done = await answer(notify(loud));
  story.same("what quito alone can do is done for berlin, by way of osaka", done.output, { told: "#office" });

  const refused = await refusal(notify(quiet));
  const explained = await berlin.run("explain", refused?.id ?? "");
  story.say(explained.stdout.trim());
  story.claim(
    "refused two hops away, and explained at home: who, by which plugin, under which clause",
    refused?.code === "QUIET_REPOSITORY" &&
      explained.code === 0 &&
      /quito[\s\S]*quiet-repositories\s+refused[\s\S]*repositories are quiet/.test(explained.stdout),
    { figure: refused?.code ?? "", found: explained.stdout + explained.stderr },
  );
}

async function siteDies({ berlin, osaka }: Sites, story: Story): Promise<void> {
  const expected = expectedClassifications();
  const session = openSession(berlin.caller);
  const done: unknown[] = [];
  let answered = 0;
  let died: Promise<void> | undefined;
  const next = async (scope: Scope, index: number): Promise<void> => {
    if (index >= deliveries.length) return;
    const { output } = await answer(scope.action.perform({ name: "classify", input: deliveries[index] }));
    done[index] = output;
    if (++answered === Math.floor(deliveries.length / 2)) died = osaka.die();
    await next(scope, index + IN_FLIGHT);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, lane) => next(session.scope, lane)));
  await died;
  session.close();
  const right = done.filter((one, index) => Bun.deepEquals(one, expected[index], true)).length;
  story.claim(
    "a site dies in the middle of a load (kill -9): its neighbour's neighbour goes on",
    right === deliveries.length,
    {
      figure: of(right, deliveries.length),
      found: right,
    },
  );
}

/** quito puts an old copy of its data back, and writes another history over it. */
async function rewritten({ berlin, quito }: Sites, story: Story): Promise<void> {
  const before = await lengthOf(quito);
  await quito.stop();
  quito.putAway();
  await quito.start();
  const perform = (index: number) =>
    inOneBatch(quito.caller, ({ action }) => action.perform({ name: "classify", input: deliveries[index] }));
  await perform(0);
  const covered = await lengthOf(quito);
  await until(async () => ((await witnessOf(berlin)).size ?? 0) >= covered);
  await quito.die();
  quito.putBack();
  await quito.start();
  await perform(1);
  const { state, entry } = await until(async () => {
    const seen = await witnessOf(berlin);
    return REWRITTEN.includes(seen.state) ? seen : undefined;
  });
  story.say((await berlin.run("witness", "show", "quito")).stdout.trim());
  story.claim(
    "quito rewrites its log, and signs it well: berlin, who witnesses it, names the entry",
    entry !== undefined && entry > before && entry <= covered,
    { figure: `${state}, entry ${figure(entry ?? 0)}`, found: { entry, before, covered } },
  );
  const still = await answer(
    inOneBatch(berlin.caller, ({ action }) => action.perform({ name: "classify", input: deliveries[2] })),
  );
  story.same("and everything else goes on", still.output, expectedClassifications()[2]);
}

async function lengthOf({ caller }: Site): Promise<number> {
  const { entries } = z.object({ entries: z.number() }).parse(await inOneBatch(caller, ({ log }) => log.head({})));
  return entries;
}

async function witnessOf({ caller }: Site): Promise<z.output<typeof witnessed>> {
  const asked = { resource: "witness", action: "show", data: { name: "quito" } };
  return witnessed.parse(await inOneBatch(caller, (scope) => scope.applyAction(asked)));
}

/** Peers tell each other once a second; looked at a little more often. The demonstration's own limit ends what never comes. */
async function until<T>(look: () => Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await Bun.sleep(50);
  }
}
