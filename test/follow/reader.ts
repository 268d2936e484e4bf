// Whoever reads the subscription at `a`: page after page from its own cursor, and acknowledged at the node. What it was handed is its book.

import type { NodeProcess } from "../network/node-process.ts";
import { Restless } from "./restless.ts";

interface Page {
  readonly items: readonly { readonly data: { readonly n: number }; readonly cursor: string }[];
  readonly next: string;
}

const WAIT_MS = 500;

export class Reader {
  readonly book: number[] = [];
  /** Milliseconds between two pages with something in them, at most. */
  longest = 0;
  readonly #node: Restless;
  readonly #id: string;
  #after: string | undefined;
  #last = performance.now();
  #over = false;

  constructor(site: NodeProcess, id: string) {
    this.#node = new Restless(site);
    this.#id = id;
  }

  async run(): Promise<void> {
    while (!this.#over) {
      const { items, next } = await this.#read();
      if (items.length === 0) continue;
      this.#take(items);
      this.#after = next;
      // Of what is acknowledged and lost with the node the cursor here knows.
      await this.#node.ask((scope) => scope.subscription.acknowledge({ id: this.#id, cursor: next }));
    }
  }

  stop(): void {
    this.#over = true;
  }

  close(): void {
    this.#node.close();
  }

  #read(): Promise<Page> {
    const asked = { id: this.#id, wait: WAIT_MS, ...(this.#after === undefined ? {} : { after: this.#after }) };
    return this.#node.ask((scope) => scope.subscription.read(asked)) as Promise<Page>;
  }

  #take(items: Page["items"]): void {
    const now = performance.now();
    this.longest = Math.max(this.longest, now - this.#last);
    this.#last = now;
    for (const { data } of items) this.book.push(data.n);
  }
}
