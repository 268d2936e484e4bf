// A log for tests of what waits for one: positions move when the test says so.

import type { Durability } from "./gate.ts";

export class FakeLog implements Durability {
  tip = 0;
  durable = 0;
  generation = 0;
  unheld = false;
  hurried = 0;
  readonly listeners = new Set<() => void>();

  hurry(): void {
    this.hurried++;
  }

  onAdvance(callback: () => void): () => void {
    this.listeners.add(callback);
    return () => this.listeners.delete(callback);
  }

  commit(upTo: number = this.tip): void {
    this.durable = upTo;
    for (const listener of [...this.listeners]) listener();
  }

  undo(): void {
    this.tip = this.durable;
    this.generation++;
    for (const listener of [...this.listeners]) listener();
  }
}
