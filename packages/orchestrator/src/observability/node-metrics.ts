// The node's numbers, gathered when somebody asks for them: what was counted, and what can be read off as it is now.

import { version } from "../../package.json" with { type: "json" };
import type { Log } from "../log/log.ts";
import type { NodeMetrics } from "../message/metrics-schema.ts";
import type { NodeInfo } from "../plugin/reader.ts";
import type { SessionBudget } from "../rpc/budget.ts";
import { type LoopDelay, NO_DELAY } from "./loop-delay.ts";
import type { Meters } from "./meters.ts";

export interface MetricsParts {
  readonly node: NodeInfo;
  readonly log: Log;
  readonly meters: Meters;
  readonly committer: { readonly tip: number; readonly durable: number };
  readonly effects: { readonly running: number; readonly size: number };
  now(): number;
}

export class Metrics {
  readonly meters: Meters;
  readonly #parts: MetricsParts;
  #loopDelay: (() => LoopDelay) | undefined;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    this.meters = parts.meters;
  }

  /** Counts the breach that ends a session. */
  watch(budget: Pick<SessionBudget, "onBreach">): void {
    budget.onBreach(({ code }) => {
      if (code === "SESSION_BUDGET") this.meters.breaches++;
    });
  }

  /** The event loop's delay is told from now on, as `read` has it. */
  tellLoopDelay(read: (() => LoopDelay) | undefined): void {
    this.#loopDelay = read;
  }

  read(): NodeMetrics {
    const { node, log, meters, committer, effects, now } = this.#parts;
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const loop = this.#loopDelay?.() ?? NO_DELAY;
    const bytes = log.bytes;
    return {
      at: now(),
      node: { id: node.id, name: node.name, version, bun: Bun.version, uptime: process.uptime() },
      messages: meters.messages().map(({ name, kind, done, others }) => ({
        ...{ name, kind },
        verdicts: { done, ...Object.fromEntries(others) },
      })),
      decisions: {
        ...{ count: meters.decision.count, seconds: meters.decision.sum },
        ...{ p50: meters.decision.quantile(0.5), p99: meters.decision.quantile(0.99) },
      },
      effects: {
        ...{ running: effects.running, waiting: effects.size - effects.running },
        kinds: meters.effects().map(({ plugin, kind, outcomes, duration }) => ({
          ...{ plugin, kind, outcomes: { ...outcomes } },
          ...{ count: duration.count, seconds: duration.sum, p99: duration.quantile(0.99) },
        })),
      },
      sessions: {
        ...{ open: meters.sessionsOpen, opened: meters.sessionsOpened },
        ...{ breaches: meters.breaches, refusedCredentials: meters.refusedCredentials },
      },
      log: {
        ...{ head: committer.tip, durable: committer.durable, first: log.first, undone: meters.undone },
        ...{ groups: meters.group.count, entries: meters.group.sum },
        ...{ appendSeconds: meters.append.sum, appendP99: meters.append.quantile(0.99) },
        ...{ bytes: bytes?.file ?? 0, walBytes: bytes?.wal ?? 0, damaged: log.damage !== undefined },
      },
      process: {
        ...{ cpu: (user + system) / 1e6, rss, heap: heapUsed },
        ...{ loopDelayP50: loop.p50, loopDelayP99: loop.p99, loopDelayMax: loop.max },
      },
    };
  }
}
