// Twenty honest nodes and one that lies to four of them, with valid sessions, in every way that we could think of. After each lie: no
// honest node takes a name from anybody but its owner, none loses a session with another honest one, and each that was lied to shows it.

import { randomBytes } from "node:crypto";
import { secretId } from "@capstan/peer";
import { LIES, type LieKind } from "@capstan/peer/simulator";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { type HonestNode, startHonest } from "./honest-node.ts";
import { LiarPeer, type Told } from "./liar-peer.ts";
import { ATTEMPTS, OTHER_LIES, type OtherLie } from "./other-lies.ts";

export interface LiarsOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly neighbours: number;
  readonly lies?: readonly (LieKind | OtherLie)[];
  readonly onLie?: (lie: Lie) => void;
}

export interface Lie {
  readonly kind: string;
  /** True words of others, or that were true: nobody can tell. */
  readonly believed: boolean;
  /** Neighbours that were lied to, and those of them that show it. */
  readonly told: number;
  readonly seen: number;
  /** What one of them shows. */
  readonly shown: string;
  readonly wrong: readonly string[];
}

export interface LiarsReport {
  readonly nodes: number;
  readonly links: number;
  readonly lies: readonly Lie[];
  /** Paths that were looked at, at all honest nodes. */
  readonly paths: number;
  readonly foreign: number;
  readonly lostSessions: number;
  /** Performs between honest nodes in the end, and those that came back right. */
  readonly performs: number;
  readonly right: number;
  readonly seconds: number;
}

export const LIAR = "n-liar";
/** Bounds that are reached soon. */
const LIMITS = { routes: 200, then: "restart" as const, restartAfter: 1_000, damping: false };
const TIMING = {
  holdTime: 6_000,
  connectTime: 3_000,
  openTime: 3_000,
  backoff: { first: 50, last: 300 },
  restartTime: 0,
  advertisementInterval: 0,
};
const EVERYTHING = { clauses: [{ name: "everything", then: "accept" as const, unowned: true }] };
const ALL_OUT = { clauses: [{ name: "everything", then: "accept" as const }] };
const PATIENCE_MS = 15_000;
/** Words of others that are true, or were: whoever hears them has no way to tell (docs/peering.md). */
const BELIEVED: ReadonlySet<string> = new Set(["leak", "shorten", "replay"]);

export async function runLiars(options: LiarsOptions): Promise<LiarsReport> {
  const run = new LiarsRun(options);
  try {
    return await run.run();
  } finally {
    await run.stop();
  }
}

interface ShownPath {
  readonly route: string;
  readonly origin: string;
  readonly digest: string;
  readonly peer?: string;
  readonly filtered?: { readonly why: string; readonly by?: string };
}

class LiarsRun {
  readonly #options: LiarsOptions;
  readonly #random: SeededRandom;
  readonly #nodes: HonestNode[] = [];
  readonly #links: [HonestNode, HonestNode][] = [];
  /** By route: who owns it, and its digest there. */
  readonly #owned = new Map<string, { readonly owner: string; readonly digest: string }>();
  #liar: LiarPeer | undefined;
  readonly #secrets = new Map<string, string>();
  #paths = 0;
  #foreign = 0;
  #lost = 0;

  constructor(options: LiarsOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<LiarsReport> {
    const startedAt = performance.now();
    const { nodes, lies: kinds = [...LIES, ...OTHER_LIES], neighbours } = this.#options;
    for (let i = 0; i < nodes; i++) this.#nodes.push(await startHonest(`n-${i}`, TIMING, Date.now));
    await this.#own();
    for (const [a, b] of this.#edges()) await this.#pair(a, b);
    const liedTo = this.#nodes.slice(0, neighbours);
    await this.#letIn(liedTo);
    await until(() => this.#whole(), "all tables to be whole");
    for (const node of this.#nodes) node.lines.length = 0;
    const lies: Lie[] = [];
    for (const kind of kinds) {
      const lie = await this.#lie(kind, liedTo);
      lies.push(lie);
      this.#options.onLie?.(lie);
    }
    (this.#liar as LiarPeer).close();
    await until(() => this.#whole(), "all tables to be whole without the liar");
    const [performs, right] = await this.#perform();
    return {
      ...{ nodes, links: this.#links.length, lies, paths: this.#paths, foreign: this.#foreign },
      ...{ lostSessions: this.#lost, performs, right, seconds: (performance.now() - startedAt) / 1000 },
    };
  }

  async stop(): Promise<void> {
    this.#liar?.close();
    await Promise.all(this.#nodes.map(({ server }) => server.stop()));
  }

  async #own(): Promise<void> {
    const owners = this.#nodes.map(({ id, key }) => ({
      ...{ routes: [`action:${id}.*`, `topic:action.${id}.*`], node: id, keys: [key] },
    }));
    for (const { id, app } of this.#nodes) {
      await app.action.register({ name: `${id}.who`, protocol: "who", idempotent: true });
      await app.action.register({ name: `${id}.what`, protocol: "who", readOnly: true });
      await app.route.own({ owners });
    }
  }

  /** A ring, and from each node a link to another. */
  #edges(): [HonestNode, HonestNode][] {
    const nodes = this.#nodes;
    const edges = nodes.map((node, i): [HonestNode, HonestNode] => [node, nodes[(i + 1) % nodes.length] as HonestNode]);
    const known = new Set(edges.flatMap(([a, b]) => [`${a.id} ${b.id}`, `${b.id} ${a.id}`]));
    for (const node of nodes) {
      const other = this.#random.pick(nodes);
      if (other === node || known.has(`${node.id} ${other.id}`)) continue;
      known.add(`${node.id} ${other.id}`).add(`${other.id} ${node.id}`);
      edges.push([node, other]);
    }
    return edges;
  }

  async #pair(a: HonestNode, b: HonestNode): Promise<void> {
    const bytes = randomBytes(32);
    this.#secrets.set(`${a.id} ${b.id}`, secretId(bytes));
    const secret = keep(`${a.id}_${b.id}`, bytes);
    const both = { secrets: [secret as never], import: EVERYTHING, export: ALL_OUT };
    await b.app.peer.add({ ...both, name: a.id, node: a.id, keys: [a.key] });
    await a.app.peer.add({ ...both, name: b.id, node: b.id, keys: [b.key], address: b.url });
    this.#links.push([a, b]);
  }

  async #letIn(neighbours: readonly HonestNode[]): Promise<void> {
    const secrets = neighbours.map(() => randomBytes(32));
    const liar = new LiarPeer({
      ...{ id: LIAR, seed: this.#options.seed, timing: TIMING, now: Date.now },
      neighbours: neighbours.map(({ id, url, key }, i) => ({ id, url, key, secret: secrets[i] as Buffer })),
    });
    this.#liar = liar;
    for (const [i, { id, app }] of neighbours.entries()) {
      const secret = keep(`${LIAR}_${id}`, secrets[i] as Buffer);
      await app.peer.add({
        ...{ name: LIAR, node: LIAR, keys: [liar.key], secrets: [secret as never], limits: LIMITS },
        ...{ import: EVERYTHING, export: ALL_OUT },
      });
    }
    await until(() => this.#isLetIn(neighbours), "the liar to be let in");
  }

  /** Its sessions stand, and both sides have all of each other's. */
  async #isLetIn(neighbours: readonly HonestNode[]): Promise<boolean> {
    const liar = this.#liar as LiarPeer;
    if (liar.established().length < neighbours.length) return false;
    const shown = neighbours.map(({ app }) => app.peer.show({ name: LIAR }) as Promise<{ complete: boolean }>);
    return (await Promise.all(shown)).every(({ complete }) => complete);
  }

  /** Everybody has a session with all of theirs, and a way to everything. */
  async #whole(): Promise<boolean> {
    for (const { app, id } of this.#nodes) {
      const { items } = (await app.peer.list({ limit: 1000 })) as { items: { name: string; state: string }[] };
      if (items.some(({ name, state }) => name !== LIAR && state !== "established")) return false;
      const shown = (await app.route.list({ limit: 1000 })) as unknown as { items: ShownPath[] };
      for (const { route, origin, digest, peer } of shown.items)
        if (peer === undefined && origin === id) this.#owned.set(route, { owner: id, digest });
      const known = new Set(shown.items.map(({ route }) => route));
      if (this.#nodes.some((one) => !known.has(`action:${one.id}.who`) || !known.has(`action:${one.id}.what`)))
        return false;
    }
    return true;
  }

  /** The next one in the ring. */
  readonly #beside = (node: string) => {
    const at = this.#nodes.findIndex(({ id }) => id === node);
    const { id, key } = this.#nodes[(at + 1) % this.#nodes.length] as HonestNode;
    return { id, key, secret: this.#secrets.get(`${node} ${id}`) as string };
  };

  async #lie(kind: LieKind | OtherLie, liedTo: readonly HonestNode[]): Promise<Lie> {
    const liar = this.#liar as LiarPeer;
    await until(() => this.#isLetIn(liedTo), `the liar to be let in again before ${kind}`);
    const wrong: string[] = [];
    const before = new Map(this.#nodes.map(({ id, lines }) => [id, lines.length]));
    const said = isOther(kind) ? await ATTEMPTS[kind].say(liar, liedTo, this.#beside) : liar.lie(kind);
    const told = liedTo.filter(({ id }) => said.some((one) => one.to === id && (isOther(kind) || announces(one))));
    const shown = new Map<string, string>();
    if (!BELIEVED.has(kind)) {
      await until(async () => {
        for (const node of told) {
          const alert = shown.get(node.id) ?? (await this.#alert(node, kind, said, before.get(node.id) ?? 0));
          if (alert !== undefined) shown.set(node.id, alert);
        }
        return shown.size === told.length;
      }, `${kind} to be seen`).catch(() =>
        wrong.push(`${told.length - shown.size} of ${told.length} show nothing of it`),
      );
    } else {
      // Until it has gone round, as far as it goes.
      await Bun.sleep(150);
    }
    if (told.length === 0) wrong.push("it was told to nobody");
    wrong.push(...(await this.#foreignPaths()));
    for (const { id, lines } of this.#nodes)
      for (const { text, fields } of lines.slice(before.get(id) ?? 0))
        if (text === "a session with a peer ended" && fields.peer !== LIAR) {
          this.#lost++;
          wrong.push(`${id} lost its session with ${fields.peer}: ${fields.reason}`);
        }
    const [first = BELIEVED.has(kind) ? "nothing: it is true, or was" : ""] = shown.values();
    return { kind, believed: BELIEVED.has(kind), told: told.length, seen: shown.size, shown: first, wrong };
  }

  /** How a node shows that it was lied to: a line of its log, or a filtered path with the reason. */
  async #alert(
    node: HonestNode,
    kind: LieKind | OtherLie,
    said: readonly Told[],
    since: number,
  ): Promise<string | undefined> {
    for (const { text, fields } of node.lines.slice(since)) {
      const about = JSON.stringify(fields);
      if (
        isOther(kind)
          ? ATTEMPTS[kind].line.test(`${text} ${about}`)
          : text.startsWith("malformed routes") && fields.peer === LIAR
      )
        return `${text}: ${String(fields.text ?? fields.reason ?? "")}`;
    }
    const names = new Set(said.filter(({ to }) => to === node.id).flatMap(namesOf));
    const { items } = (await node.app.route.list({ peer: LIAR, filtered: true, limit: 1000 })) as unknown as {
      items: ShownPath[];
    };
    const filtered = items.find(({ route, filtered }) => filtered !== undefined && names.has(route));
    return filtered && `filtered: ${filtered.filtered?.why}, ${filtered.filtered?.by}`;
  }

  /** What is somebody's is that somebody's, as they offer it, wherever it is not filtered. */
  async #foreignPaths(): Promise<string[]> {
    const wrong: string[] = [];
    for (const { app, id } of this.#nodes) {
      const { items: peers } = (await app.peer.list({ limit: 1000 })) as { items: { name: string }[] };
      for (const { name: peer } of peers) {
        // Those that are not filtered: the best is one of them.
        const { items } = (await app.route.list({ peer, limit: 1000 })) as unknown as { items: ShownPath[] };
        for (const { route, origin, digest } of items) {
          this.#paths++;
          const owned = this.#owned.get(route);
          if (owned === undefined || (origin === owned.owner && digest === owned.digest)) continue;
          this.#foreign++;
          wrong.push(`FOREIGN ${id} takes ${route} of ${origin} by ${peer}: it is ${owned.owner}'s`);
        }
      }
    }
    return wrong;
  }

  async #perform(): Promise<[performs: number, right: number]> {
    let right = 0;
    let performs = 0;
    for (const { app } of this.#nodes)
      for (const { id } of this.#nodes) {
        performs++;
        const came = await app.action.perform({ name: `${id}.who` }).catch((thrown: unknown) => thrown);
        if ((came as { output?: unknown }).output === `${id}.who of ${id}`) right++;
      }
    return [performs, right];
  }
}

function isOther(kind: LieKind | OtherLie): kind is OtherLie {
  return kind in ATTEMPTS;
}

function announces({ text }: Told): boolean {
  return namesOf({ text }).length > 0;
}

/** Names that a frame announces, well formed or not. */
function namesOf({ text }: Pick<Told, "text">): string[] {
  try {
    const { announce = [] } = JSON.parse(text) as { announce?: { leaves?: [unknown, ...unknown[]][] }[] };
    return announce.flatMap(({ leaves = [] }) => leaves.flatMap(([name]) => (typeof name === "string" ? [name] : [])));
  } catch {
    return [];
  }
}

/** In the environment, where the nodes' references lead. */
function keep(name: string, secret: Uint8Array): { readonly secret: string } {
  const variable = `NETWORK_${name.replace(/\W/g, "_")}`;
  process.env[variable] = Buffer.from(secret).toString("base64url");
  return { secret: `env:${variable}` };
}

async function until(so: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const over = performance.now() + PATIENCE_MS;
  while (!(await so())) {
    if (performance.now() > over) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await Bun.sleep(20);
  }
}
