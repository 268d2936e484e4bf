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
import { type Observer, observeDecisions } from "./observability/observe-decisions.ts";
import type { Tracer } from "./observability/tracer.ts";
import { Committer, type Schedule } from "./pipeline/committer.ts";
import { Effects } from "./pipeline/effects.ts";
import { Enveloper } from "./pipeline/enveloper.ts";
import { FinalAnswers } from "./pipeline/final-answers.ts";
import { Followers } from "./pipeline/followers.ts";
import { Hub } from "./pipeline/hub.ts";
import { kernelOperations } from "./pipeline/kernel-operations.ts";
import { kernelPlugin } from "./pipeline/kernel-plugin.ts";
import { Keys } from "./pipeline/keys.ts";
import { pluginRuntime } from "./pipeline/plugin-runtime.ts";
import { TipReader } from "./pipeline/reader.ts";
import { Recorder } from "./pipeline/recorder.ts";
import { rightRefused } from "./pipeline/right-asked.ts";
import { appendLater } from "./pipeline/schedule.ts";
import { adoptComposition, loadTables, recordRestorations, takeOver } from "./pipeline/start.ts";
import { Tip } from "./pipeline/tip.ts";
import { Turns } from "./pipeline/turns.ts";
import { KEY_WINDOW_MS } from "./pipeline/upkeep/retention.ts";
import { Waiters } from "./pipeline/waiters.ts";
import { type Composition, compose } from "./plugin/composition.ts";
import type { MessagesOf, Ordered } from "./plugin/order.ts";
import type { AnyPlugin, Logger } from "./plugin/plugin.ts";
import type { NodeInfo } from "./plugin/reader.ts";
import type { Caller } from "./scope/caller.ts";
import { LiveCallbacks, type LiveSession } from "./scope/live-callbacks.ts";
import { scopeClass } from "./scope/scope.ts";
import type { Scope } from "./scope/scope-type.ts";
import { Tables } from "./state/tables.ts";
import { monotonic } from "./time/monotonic.ts";
import { systemTimers, type Timers } from "./time/timers.ts";

/** What an orchestrator is made of. Only the plugins are required. */
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

/** A running orchestrator. */
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
  readonly lives: LiveCallbacks;
  readonly timers: Timers;
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
  const parts = await assemble(options, log);
  try {
    await run(parts, options.carriesOut ?? true);
  } catch (thrown) {
    parts.notary.abandon();
    throw thrown;
  }
  const { node, composition, hub, committer, reader, notary, metrics, lives, timers } = parts;
  const inProcess = lives.session(true);
  const Scoped = scopeClass(composition);
  let stopped: Promise<void> | undefined;
  return {
    ...{ node, composition, log, hub, committer, reader, notary, metrics, lives, timers },
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
    stop: ({ graceMs = STOP_GRACE_MS } = {}) => (stopped ??= stop(parts, inProcess, graceMs)),
  };
}

type Assembled = Awaited<ReturnType<typeof assemble>>;

/**
 * Makes the parts and ties them together; nothing is decided and nothing runs yet. Parts that need each other are given functions,
 * which look the other part up when they are called.
 */
async function assemble<const P extends readonly AnyPlugin[]>(options: OrchestratorOptions<P>, log: Log) {
  const {
    logger = silent,
    timers = systemTimers,
    random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    schedule = appendLater,
    keyWindow = KEY_WINDOW_MS,
    onDecided,
    tracer,
  } = options;
  const node = { id: "n-embedded", name: "embedded", directory: undefined, ...options.node };
  const waiters = new Waiters();
  const lives = new LiveCallbacks();
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
  const observe = observeDecisions({ meters, tracer, logger, onDecided });
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
    finalAnswers: new FinalAnswers({ keyWindow, restoredAt: log.restorations.at(-1)?.at }),
    observe,
  });
  return {
    ...{ composition, log, hub, tip, committer, reader, tables, effects, waiters, enveloper, followers },
    ...{ node, notary, rotation, metrics, lives, timers, logger, tracer, now, signer: inForce },
  };
}

/** Starts the plugins, records what changed since the last start, takes over what is owed, and lets the plugins run. */
async function run(parts: Assembled, carriesOut: boolean): Promise<void> {
  const { composition, log, hub, tip, committer, reader, tables, effects, node, notary, rotation } = parts;
  parts.now(); // a clock that is behind is reported at once
  await rotation.resume();
  await notary.start();
  for (const plugin of composition.plugins) await plugin.start?.(node);
  // A damaged log is only read: nothing is recorded in it, and what it owes stays owed.
  if (log.damage !== undefined) return;
  await adoptComposition({ composition, hub, committer, reader, key: rotation.admits });
  await recordRestorations({ log, hub, committer, reader });
  if (!carriesOut) return;
  await takeOver({ tip, effects, tables, reader, committer, node, epoch: log.epoch });
  for (const plugin of composition.plugins) plugin.run?.(pluginRuntime(parts, plugin));
}

/** Stops in the order in which work flows: what comes in, what runs, what is waited for, then the plugins and the log. */
async function stop(parts: Assembled, inProcess: LiveSession, graceMs: number): Promise<void> {
  const { composition, log, hub, committer, reader, effects, waiters, notary, tracer } = parts;
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
