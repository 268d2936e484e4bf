// Clients that perform all the while, each thing under a key of its own, through restarts of the node; and what each was told,
// so that afterwards the log can be held against it.

import { type Connected, remoteFault } from "@capstan/orchestrator/client";
import type { OperatedNode } from "./operated-node.ts";

/** What a client was told has happened. */
export interface Acknowledged {
  readonly key: string;
  readonly execution: string;
}

const CLIENTS = 8;
/** A credential of its own: the administrator's is what some operations change. */
const TOKEN = "load.token";
/** How long a client waits before it asks a node again that did not answer. */
const PAUSE_MS = 20;
const LONGEST_MS = 30_000;

export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** What a correct node never answers. */
  readonly violations: string[] = [];
  readonly #node: OperatedNode;
  readonly #clients: Promise<unknown>;
  #waiting: { readonly count: number; resolve(): void }[] = [];
  #over = false;

  static async start(node: OperatedNode): Promise<Load> {
    await node.ran("grant", "create", "load", "--allow", "action.perform:echo", "--out", TOKEN);
    return new Load(node);
  }

  private constructor(node: OperatedNode) {
    this.#node = node;
    this.#clients = Promise.all(Array.from({ length: CLIENTS }, (_, client) => this.#work(client + 1)));
  }

  /** Resolves once so many more calls were acknowledged. */
  async more(count: number): Promise<void> {
    const reached = Promise.withResolvers<void>();
    this.#waiting.push({ count: this.acknowledged.length + count, resolve: reached.resolve });
    const timer = setTimeout(
      () => reached.reject(new Error(`${count} more calls were not acknowledged in ${LONGEST_MS} ms`)),
      LONGEST_MS,
    );
    await reached.promise.finally(() => clearTimeout(timer));
  }

  /** Every client ends what it has open, and then asks no more. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#clients;
  }

  async #work(client: number): Promise<void> {
    let connection: Connected | undefined;
    for (let count = 1; !this.#over && !this.#node.closed; ) {
      const key = `${client}-${count}`;
      connection ??= this.#node.connect(this.#node.token(TOKEN));
      try {
        const told = await connection.scope.applyAction(
          { resource: "action", action: "perform", data: { name: "echo", input: { key } } },
          { key },
        );
        this.#tell(key, told as { readonly execution: string; readonly output: { readonly key: string } });
        count++;
      } catch (thrown) {
        const { code, message } = remoteFault(thrown);
        if (code !== "UNREACHABLE" && code !== "STOPPING") {
          this.violations.push(`${key}: ${code}: ${message}`);
          break;
        }
        connection.close();
        connection = undefined;
        await Bun.sleep(PAUSE_MS); // another process starts: there is nothing to await
      }
    }
    connection?.close();
  }

  #tell(key: string, { execution, output }: { readonly execution: string; readonly output: { readonly key: string } }) {
    if (output.key !== key) this.violations.push(`${key}: was answered ${JSON.stringify(output)}`);
    this.acknowledged.push({ key, execution });
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.acknowledged.length < count) return true;
      resolve();
      return false;
    });
  }
}
