// The load: many clients over fewer connections, until the server is dead; and what they do once it is back.

import type { Connected, RemoteScope } from "@capstan/orchestrator/client";
import { type Asked, Client, type Observed, type TextLength } from "./client.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ServerProcess } from "./server-process.ts";

const CLIENTS_A_CONNECTION = 4;
const PAGE = 1000;

export interface LoadOptions {
  readonly unavailable?: Observed["unavailable"];
  readonly length?: TextLength;
}

export class Load {
  readonly clients: readonly Client[];
  /** Called with every first acknowledgement. */
  onAcknowledged: (asked: Asked) => void = () => {};

  constructor(
    count: number,
    random: SeededRandom,
    violation: (text: string) => void,
    { unavailable, length }: LoadOptions = {},
  ) {
    const acknowledged = (asked: Asked) => this.onAcknowledged(asked);
    const observed = { acknowledged, violation, ...(unavailable && { unavailable }) };
    this.clients = Array.from({ length: count }, (_, i) => new Client(`c${i + 1}`, random, observed, length));
  }

  *ledgers(): Generator<Asked, void, void> {
    for (const { ledger } of this.clients) yield* ledger;
  }

  /** Asks without end; resolves when the server is dead. */
  work(server: ServerProcess): Promise<void> {
    return this.#each(server, (client, scope) => client.work(scope));
  }

  /** What nobody was told the outcome of. */
  open(): Asked[] {
    return this.clients.flatMap(({ open }) => open ?? []);
  }

  /** Asks again for everything that is open, and for what was acknowledged last. */
  settle(server: ServerProcess): Promise<void> {
    return this.#each(server, async (client, scope) => {
      await client.settle(scope);
      await client.repeatLast(scope);
    });
  }

  async #each(server: ServerProcess, ask: (client: Client, scope: RemoteScope) => Promise<void>): Promise<void> {
    const connections: Connected[] = [];
    const asking = this.clients.map((client, i) => {
      if (i % CLIENTS_A_CONNECTION === 0) connections.push(server.connect());
      return ask(client, (connections.at(-1) as Connected).scope);
    });
    await Promise.all(asking);
    for (const connection of connections) connection.close();
  }
}

/** Registers the actions. @param onceRunsTwice the control that gives out a non-idempotent action as an idempotent one */
export async function registerActions(server: ServerProcess, onceRunsTwice = false): Promise<void> {
  const connection = server.connect();
  const { scope } = connection;
  await Promise.all(
    ["sync", "async", "once", "stuck"].map((name) =>
      scope.action?.register?.({ name, protocol: name, idempotent: name !== "once" || onceRunsTwice }),
    ),
  );
  connection.close();
}

/** The executions of which nobody knows whether they ran. */
export async function listAmbiguous(server: ServerProcess): Promise<string[]> {
  const connection = server.connect();
  const ids: string[] = [];
  for (let before: string | undefined, first = true; first || before !== undefined; first = false) {
    const data = { state: "ambiguous", limit: PAGE, ...(before === undefined ? {} : { before }) };
    const page = (await connection.scope.execution?.list?.(data)) as { items: { id: string }[]; next?: string };
    ids.push(...page.items.map(({ id }) => id));
    before = page.next;
  }
  connection.close();
  return ids;
}
