// An orchestrator put together: a composition, a log, a node. Embedding needs no more than this; servers and the CLI are
// built on it.

import { join } from "node:path";
import { fault, faultOf } from "./fault/fault.ts";
import { checkpointOf } from "./log/checkpoint-file.ts";
import { saltMaker } from "./log/entry.ts";
import type { Log } from "./log/log.ts";
import { memoryLog } from "./log/memory/memory-log.ts";
import { idMaker, nonceMaker } from "./message/id.ts";
import { NODE_GRANT, type Principal } from "./message/message.ts";
import { checkpointWriter } from "./notary/checkpoint-writer.ts";
import { KeyRotation } from "./notary/key-rotation.ts";
import type { NodeSigner } from "./notary/node-signer.ts";
import { Notary } from "./notary/notary.ts";
import { ephemeralSigner } from "./notary/signer.ts";
import { Meters } from "./observability/meters.ts";
import { Metrics } from "./observability/node-metrics.ts";
import { parseTraceParent } from "./observability/trace-parent.ts";
import type { Tracer } from "./observability/tracer.ts";
import { Committer, type Schedule } from "./pipeline/committer.ts";
import { Effects } from "./pipeline/effects.ts";
import { Enveloper } from "./pipeline/enveloper.ts";
import { Followers } from "./pipeline/followers.ts";
import { LastWords } from "./pipeline/for-good.ts";
import { Hub } from "./pipeline/hub.ts";
import { kernelOperations } from "./pipeline/kernel-operations.ts";
import { kernelPlugin } from "./pipeline/kernel-plugin.ts";
import { Keys } from "./pipeline/keys.ts";
import { TipReader } from "./pipeline/reader.ts";
import { Recorder } from "./pipeline/recorder.ts";
import { rightRefused } from "./pipeline/right-asked.ts";
import { pluginRuntime } from "./pipeline/runtime.ts";
import { appendLater } from "./pipeline/schedule.ts";
import { adoptComposition, loadTables, recordRestorations, takeOver } from "./pipeline/start.ts";
import { monotonic, systemTimers, type Timers } from "./pipeline/timers.ts";
import { Tip, type TipParts } from "./pipeline/tip.ts";
import { Turns } from "./pipeline/turns.ts";
import { KEY_WINDOW_MS } from "./pipeline/upkeep/retention.ts";
import { Waiters } from "./pipeline/waiters.ts";
import { type Composition, compose } from "./plugin/composition.ts";
import type { MessagesOf, Ordered } from "./plugin/order.ts";
import type { AnyPlugin, Logger } from "./plugin/plugin.ts";
import type { NodeInfo } from "./plugin/reader.ts";
import type { Caller } from "./scope/caller.ts";
import { Lives } from "./scope/lives.ts";
import { scopeClass } from "./scope/scope.ts";
import type { Scope } from "./scope/scope-type.ts";
import { Tables } from "./state/tables.ts";

export interface OrchestratorOptions<P extends readonly AnyPlugin[]> {
  /** In the order in which they decide. A wrong order does not compile; one made at run time is checked at start. */
  readonly plugins: P & Ordered<P>;
  /** Default: in memory. */
  readonly log?: Log;
  readonly node?: Partial<NodeInfo>;
  /** The node's key: it signs checkpoints. Default: one that is made for this process, admitted to no log, and forgotten. */
  readonly signer?: NodeSigner;
  readonly logger?: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly timers?: Timers;
  /** Fills bytes with randomness: salts and ids are made of it. */
  readonly random?: (bytes: Uint8Array) => void;
  /** When to append what was decided; default: once what has arrived by now is decided (pipeline/schedule.ts). */
  readonly schedule?: Schedule;
  /** Milliseconds for which a message's key answers for it at least: compaction keeps what is younger. Default: a day. */
  readonly keyWindow?: number;
  /** `false`: what is owed stays owed, and nothing of it is taken over. For tools on the log of a node that does not run. */
  readonly carriesOut?: boolean;
  /** Told of every decided message. */
  readonly onDecided?: Observer;
  /** Draws traces of what is done (`openTracer`). It is stopped with the orchestrator. */
  readonly tracer?: Tracer | undefined;
}

export type Observer = (decided: {
  readonly id: string;
  readonly message: string;
  readonly principal: string;
  /** `done`, `held`, or the fault's code. */
  readonly verdict: string;
  readonly entry: number | undefined;
  /** The caller's own id for what belongs together, and the trace that the message is part of. */
  readonly correlation?: string;
  readonly trace?: string;
}) => void;

export interface Orchestrator<Messages = unknown> {
  readonly node: NodeInfo;
  readonly composition: Composition;
  readonly log: Log;
  readonly hub: Hub;
  readonly committer: Committer;
  readonly reader: TipReader;
  readonly notary: Notary;
  /** What it counts and measures. */
  readonly metrics: Metrics;
  /** Callbacks of the callers who are there. */
  readonly lives: Lives;
  /** A scope for code in this process: the node's own authority, narrowed to `allow`. Its answers are durable. */
  scope(as: { readonly principal: string; readonly allow: readonly string[] }): Promise<Scope<Messages>>;
  /** What a door hands to an authenticated caller; the door itself waits until what it sends is durable. */
  scopeFor(caller: Caller): Scope<Messages>;
  /** Takes nothing new, waits for what runs, flushes, closes. What is still owed is owed at the next start. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const STOP_GRACE_MS = 10_000;
/** How long a stop waits for the traces to be taken. */
const TRACES_MS = 2_000;

/**
 * Puts an orchestrator together and starts it. The log is its own from here on: where it cannot start, it closes it.
 * @throws FaultError COMPOSITION_INVALID, and what the log's opening threw
 */
export async function createOrchestrator<const P extends readonly AnyPlugin[]>(
  options: OrchestratorOptions<P>,
): Promise<Orchestrator<MessagesOf<P>>> {
  const log = options.log ?? memoryLog();
  try {
    return await start(options, log);
  } catch (thrown) {
    await log.close();
    await options.tracer?.stop(0);
    throw thrown;
  }
}

async function start<const P extends readonly AnyPlugin[]>(
  options: OrchestratorOptions<P>,
  log: Log,
): Promise<Orchestrator<MessagesOf<P>>> {
  const {
    logger = silent,
    timers = systemTimers,
    random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    schedule = appendLater,
    keyWindow = KEY_WINDOW_MS,
    carriesOut = true,
    onDecided,
    tracer,
  } = options;
  const node = { id: "n-embedded", name: "embedded", directory: undefined, ...options.node };
  const waiters = new Waiters();
  const lives = new Lives();
  const { signer } = options;
  const rotation = new KeyRotation({
    ...{ log, signer, tables: () => tables, notary: () => notary },
    report: (thrown) => logger.error({ error: String(thrown) }, "the node's key files could not be swapped"),
  });
  const kernel = kernelPlugin({
    ...kernelOperations({
      ...{ log, rotation, keyWindow },
      running: () => ({ composition, reader, notary, committer, waiters, preparation }),
    }),
    list: () =>
      [...composition.routes.values()].map(({ name, definition, plugin }) => ({
        name,
        definition,
        plugin: plugin.name,
      })),
    metrics: () => metrics.read(),
    lost: (plugin, effect) => composition.handler(plugin, effect.kind)?.lost(effect),
  });
  const composition = compose([...(options.plugins as readonly AnyPlugin[]), kernel]);
  const meters = new Meters(composition, () => performance.now());
  const tables = new Tables(composition.tables);
  await loadTables(log, composition, tables);

  const now = monotonic(options.now ?? Date.now, log.lastAt, (ms) => {
    const text = "the clock is behind the log's last entry: entries get the time of that one until it has caught up";
    logger.warn({ behindMs: ms, last: new Date(log.lastAt).toISOString() }, text);
  });
  const drawNonce = nonceMaker(saltMaker(random));
  const enveloper = new Enveloper(node, now, idMaker(randomFraction(random)));
  const keys = new Keys(log);
  let ephemeral: NodeSigner | undefined;
  const inForce = (): NodeSigner => {
    if (rotation.signer !== undefined) return rotation.signer;
    ephemeral ??= ephemeralSigner(node.id, random);
    return ephemeral;
  };
  const notary = new Notary({
    ...{ log, now, timers },
    retiredAt: (key) => rotation.retiredAt(key),
    signer: async () => signer ?? inForce(),
    // Whoever reads the file has to know the key.
    file:
      signer !== undefined && log.durable && node.directory !== undefined
        ? checkpointWriter(checkpointOf(join(node.directory, "log.db")))
        : undefined,
    report: (thrown) => logger.error({ error: String(thrown) }, "the checkpoint's file could not be written"),
  });
  const committer = new Committer(
    log,
    tables,
    {
      committed(durable, group) {
        followers.committed(group);
        keys.committed(durable);
        waiters.committed(durable);
        effects.committed(durable);
        notary.committed();
        tracer?.committed(durable);
      },
      undone(durable, reason) {
        keys.undo(durable);
        effects.undo(durable, reason);
        waiters.undo(durable, reason);
        tracer?.undone(durable);
      },
      appending: (entries) => meters.appending(entries),
      report(thrown) {
        meters.undone += committer.tip - committer.durable;
        logger.error({ error: String(thrown) }, "an append failed; what it held was undone");
      },
    },
    schedule,
  );
  const followers = new Followers({ log, logger, committer: () => committer });
  const reader = new TipReader(node, log, committer, tables, timers, notary);
  const effects: Effects = new Effects({
    composition,
    tables,
    timers,
    log: logger,
    ...{ meters, tracer },
    now,
    durable: () => committer.durable,
    record: (effect, outcome) => tip.recordOutcome(effect, outcome),
    unrecorded: ({ owing }) => waiters.settle(owing, { kind: "failed", error: faultOf(undefined) }),
    apply: (message, as, cause, options) => hub.applyFor(message, as, cause, options),
    allows: (right, as) => rightRefused({ enveloper, tip }, right, as),
  });
  const metrics: Metrics = new Metrics({ node, log, meters, committer, effects, now: options.now ?? Date.now });
  const observe: TipParts["observe"] = (envelope, verdict, entry) => {
    const { id, message, principal, correlation } = envelope;
    meters.decided(message, verdict);
    tracer?.decided(envelope, verdict, entry);
    if (onDecided === undefined) return;
    const trace = tracer?.traceOf(id) ?? parseTraceParent(envelope.traceparent)?.trace;
    const told = { id, message: `${message.resource}.${message.action}`, principal, verdict, entry };
    try {
      onDecided({
        ...told,
        ...(correlation === undefined ? undefined : { correlation }),
        ...(trace === undefined ? undefined : { trace }),
      });
    } catch (thrown) {
      // It is told in the middle of a decision, which must not stop half-way.
      logger.error({ error: String(thrown) }, "an observer failed");
    }
  };
  const tip: Tip = new Tip({
    ...{ composition, tables, committer, effects, waiters, keys, enveloper, observe, meters, tracer },
    drawNonce: () => drawNonce(now()),
    recorder: new Recorder(saltMaker(random), tables, composition.tables),
    epoch: log.epoch,
    reportBug(plugin, thrown) {
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      logger.error({ plugin, error }, "a plugin failed to decide");
    },
  });
  const preparation = { composition, tip, reader, tables, timers, logger };
  const hub: Hub = new Hub({
    composition,
    tip,
    committer,
    enveloper,
    keys,
    waiters,
    reader,
    timers,
    preparation,
    tracer,
    lastWords: new LastWords({ keyWindow, restoredAt: log.restorations.at(-1)?.at }),
    observe,
  });

  try {
    now(); // a clock that is behind is told of at once
    await rotation.resume();
    await notary.start();
    for (const plugin of composition.plugins) await plugin.start?.(node);
    // A damaged log is only read: nothing is recorded in it, and what it owes stays owed.
    if (log.damage === undefined) {
      await adoptComposition({ composition, hub, committer, reader, key: rotation.admits });
      await recordRestorations({ log, hub, committer, reader });
      if (carriesOut) {
        await takeOver({ tip, effects, tables, reader, committer, node, epoch: log.epoch });
        const parts = {
          ...{ composition, enveloper, tip, node, reader, committer, hub, lives, timers, logger, now },
          ...{ log, followers, signer: inForce },
        };
        for (const plugin of composition.plugins) plugin.run?.(pluginRuntime(parts, plugin));
      }
    }
  } catch (thrown) {
    notary.abandon();
    throw thrown;
  }

  const inProcess = lives.session(true);
  const Scoped = scopeClass(composition);
  let stopped: Promise<void> | undefined;

  async function stop(graceMs: number): Promise<void> {
    hub.stop();
    reader.stop();
    inProcess.end("the node is stopping");
    await effects.stop(graceMs);
    committer.flush();
    await committer.whenDurable(committer.tip)?.catch(() => {});
    const told = "the node stopped; the message stays accepted: attach to it after the next start";
    waiters.stop(fault("STOPPING", told, { pending: true }));
    for (const plugin of [...composition.plugins].reverse()) await plugin.stop?.();
    await notary.stop();
    await log.close();
    await tracer?.stop(TRACES_MS);
  }

  return {
    node,
    composition,
    log,
    hub,
    committer,
    reader,
    notary,
    metrics,
    lives,
    async scope({ principal, allow }) {
      const turns = new Turns();
      const as: Principal = { principal, grant: NODE_GRANT, may: [...allow] };
      return new Scoped({
        call: async (route, data, callOptions) =>
          inProcess.asking(data, route.definition.live, (plain) =>
            turns.take(() => hub.submit(route, plain, as, callOptions, undefined, turns)),
          ),
      }) as unknown as Scope<MessagesOf<P>>;
    },
    scopeFor: (caller) => new Scoped(caller) as unknown as Scope<MessagesOf<P>>,
    stop: ({ graceMs = STOP_GRACE_MS } = {}) => (stopped ??= stop(graceMs)),
  };
}

/** What a decision may draw. */
/** A number in [0, 1) from random bytes. */
function randomFraction(random: (bytes: Uint8Array) => void): () => number {
  const bytes = new Uint8Array(6);
  return () => {
    random(bytes);
    let value = 0;
    for (const byte of bytes) value = value * 256 + byte;
    return value / 2 ** 48;
  };
}
