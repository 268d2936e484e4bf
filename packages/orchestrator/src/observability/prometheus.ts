// The node's numbers in Prometheus' format. prom-client is used only at a scrape, to write the text; the counting is done in meters.ts, so that no
// label is hashed while messages are decided. Names and units:
// https://prometheus.io/docs/practices/naming/

import { type Metric, Registry } from "prom-client";
import type { NodeMetrics } from "../message/metrics-schema.ts";
import type { Histogram } from "./histogram.ts";
import type { Meters } from "./meters.ts";

type Labels = Readonly<Record<string, string>>;
type Value = readonly [value: number, labels?: Labels];

interface Sample {
  readonly value: number;
  readonly labels: Labels;
  readonly metricName?: string;
}

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** The text exposition format, version 0.0.4. */
export async function prometheusText(read: NodeMetrics, meters: Meters): Promise<string> {
  const registry = new Registry();

  function add(name: string, type: "counter" | "gauge" | "histogram", help: string, values: readonly Sample[]): void {
    const metric = { name, help, type, aggregator: "sum", values };
    // A minimal metric with all that a registry needs; prom-client's own classes would have to be updated at every change.
    registry.registerMetric({ ...metric, get: async () => metric } as unknown as Metric);
  }
  function counter(name: string, help: string, ...values: Value[]): void {
    add(name, "counter", help, values.map(sample));
  }
  function gauge(name: string, help: string, ...values: Value[]): void {
    add(name, "gauge", help, values.map(sample));
  }
  function histogram(name: string, help: string, ...of: readonly (readonly [Histogram, Labels?])[]): void {
    add(
      name,
      "histogram",
      help,
      of.flatMap(([one, labels = {}]) => histogramSamples(name, one, labels)),
    );
  }

  const { node, messages, effects, sessions, log, process } = read;
  gauge("capstan_build_info", "The versions that run; always 1.", [1, { version: node.version, bun: node.bun }]);
  counter(
    "capstan_messages_decided_total",
    "Messages decided, by name, kind and verdict: done, held, or the code of the fault.",
    ...messages.flatMap(({ name, kind, verdicts }) =>
      Object.entries(verdicts).map(([verdict, n]): Value => [n, { message: name, kind, verdict }]),
    ),
  );
  histogram("capstan_decision_duration_seconds", "How long the plugins took to decide a message.", [meters.decision]);
  gauge("capstan_effects_running", "Effects that are being carried out.", [effects.running]);
  gauge("capstan_effects_waiting", "Effects that are owed and not begun, or whose outcome is not recorded.", [
    effects.waiting,
  ]);
  counter(
    "capstan_effects_over_total",
    "Effects that are over, by what came of them.",
    ...effects.kinds.flatMap(({ plugin, kind, outcomes }) =>
      Object.entries(outcomes).map(([outcome, n]): Value => [n, { plugin, kind, outcome }]),
    ),
  );
  histogram(
    "capstan_effect_duration_seconds",
    "How long carrying an effect out took.",
    ...meters.effects().map(({ plugin, kind, duration }) => [duration, { plugin, kind }] as const),
  );
  gauge("capstan_sessions_open", "WebSocket sessions that are open.", [sessions.open]);
  counter("capstan_sessions_opened_total", "WebSocket sessions that were opened.", [sessions.opened]);
  counter("capstan_session_budget_breaches_total", "Sessions and batches that were ended because they used too much.", [
    sessions.breaches,
  ]);
  counter("capstan_credentials_refused_total", "Credentials that were refused, on any door.", [
    sessions.refusedCredentials,
  ]);
  gauge("capstan_log_head", "Number of the last decided entry.", [log.head]);
  gauge("capstan_log_durable", "Number of the last durable entry.", [log.durable]);
  gauge("capstan_log_first", "Number of the oldest entry that is kept.", [log.first]);
  gauge(
    "capstan_log_size_bytes",
    "Bytes on the disk, by file.",
    [log.bytes, { file: "log" }],
    [log.walBytes, { file: "wal" }],
  );
  gauge("capstan_log_damaged", "1 while the log is damaged and only read.", [log.damaged ? 1 : 0]);
  counter("capstan_log_entries_undone_total", "Decided entries that an append which failed undid.", [log.undone]);
  histogram("capstan_log_group_entries", "Entries appended at once.", [meters.group]);
  histogram("capstan_log_append_duration_seconds", "How long an append took until it was durable.", [meters.append]);
  counter("capstan_process_cpu_seconds_total", "CPU time used, user and system.", [process.cpu]);
  gauge("capstan_process_resident_memory_bytes", "Resident memory.", [process.rss]);
  gauge("capstan_process_heap_bytes", "Memory used by JavaScript's objects.", [process.heap]);
  gauge("capstan_process_uptime_seconds", "Since the process began.", [node.uptime]);
  gauge(
    "capstan_event_loop_delay_seconds",
    "How late the event loop was, in the last 10 seconds.",
    [process.loopDelayP50, { quantile: "0.5" }],
    [process.loopDelayP99, { quantile: "0.99" }],
    [process.loopDelayMax, { quantile: "1" }],
  );
  return registry.metrics();
}

function sample([value, labels = {}]: Value): Sample {
  return { value, labels };
}

function histogramSamples(name: string, { bounds, counts, sum, count }: Histogram, labels: Labels): Sample[] {
  let below = 0;
  const buckets = bounds.map((bound, at) => {
    below += counts[at] as number;
    return { metricName: `${name}_bucket`, value: below, labels: { le: String(bound), ...labels } };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, value: count, labels: { le: "+Inf", ...labels } },
    { metricName: `${name}_sum`, value: sum, labels },
    { metricName: `${name}_count`, value: count, labels },
  ];
}
