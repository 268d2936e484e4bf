import { afterEach, expect, test } from "bun:test";
import type { Logger } from "../plugin/plugin.ts";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { faultyLog } from "../testing/faulty-log.fixture.ts";
import { byHand, jobs } from "../testing/jobs.fixture.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits, plugin, settled, start, takes } from "../testing/start.fixture.ts";
import { collector } from "./collector.fixture.ts";
import { openTracer } from "./open-tracer.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = `00-${TRACE}-b7ad6b7169203331-01`;
const running: { stop(): unknown }[] = [];

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function traced(plugins: Parameters<typeof start>[0], setting: Parameters<typeof start>[1] = {}) {
  const sink = collector();
  running.push(sink);
  const warned: string[] = [];
  const say = (_: object, text: string): void => void warned.push(text);
  const logger: Logger = { debug() {}, info: say, warn: say, error: say };
  const tracer = await openTracer({
    config: { endpoint: sink.endpoint },
    ...{ environment: {}, node: { id: "n-1", name: "test" }, logger },
  });
  const sent = tracer?.stop.bind(tracer);
  // A node waits two seconds for them as it stops: on a busy machine they may take longer.
  if (tracer !== undefined && sent !== undefined) tracer.stop = () => sent(60_000);
  const node = await start(plugins, { ...setting, tracer });
  return { sink, node, warned, stop: () => node.orchestrator.stop({ graceMs: 0 }) };
}

const failing = (promise: Promise<unknown>) => promise.catch((error) => (error as { code: string }).code);

/** `trip.plan` leads to `note.write` in its commit. */
const trips = () =>
  plugin("trips", {
    needs: [authority],
    messages: { trip: { plan: takes("name") } },
    decide: ({ message, envelope }) => {
      if (message.resource !== "trip") return next();
      const { name } = message.data as { name: string };
      const write = { resource: "note", action: "write", data: { name, text: "led" } };
      return next({ then: [{ message: write, as: { principal: envelope.principal, grant: envelope.grant } }] });
    },
  });

test("without an endpoint there is no tracer, and the SDK can be disabled", async () => {
  const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
  const options = { node: { id: "n-1", name: "test" }, logger };
  expect(await openTracer({ ...options, environment: {} })).toBeUndefined();
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_SDK_DISABLED: "true" };
  expect(await openTracer({ ...options, environment })).toBeUndefined();
  await expect(
    openTracer({ ...options, environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "ftp://user:hush@x" } }),
  ).rejects.toThrow(/^OTEL_EXPORTER_OTLP_ENDPOINT is no address of a collector/);
});

test("a message is a span, its plugins are events, and it stands where its caller's traceparent says", async () => {
  const { sink, node, stop } = await traced([admits(), notes()]);
  await node.send("note.write", { name: "a", text: "hush-hush" }, { traceparent: CALLER, correlation: "order-7" });
  expect(await failing(node.send("note.write", { name: "a", text: "hush-hush" }))).toBe("NOTE_THERE");
  await stop();
  const [done, refused] = sink.spans.filter(({ name }) => name === "note.write");
  expect(done).toMatchObject({ traceId: TRACE, parentSpanId: "b7ad6b7169203331", status: {} });
  expect(done?.attributes).toMatchObject({
    ...{ "capstan.principal": "ada", "capstan.grant": "node", "capstan.verdict": "done" },
    ...{ "capstan.correlation": "order-7" },
  });
  expect(done?.attributes["capstan.id"]).toMatch(/^m-/);
  expect(Number(done?.attributes["capstan.entry"])).toBe(node.log.head - 1);
  expect(done?.events.map(({ name }) => name)).toEqual(["admits", "notes", "kernel"]);
  expect(refused).toMatchObject({ status: { code: 2, message: "NOTE_THERE" } });
  expect(refused?.parentSpanId ?? "").toBe("");
  expect(refused?.traceId).not.toBe(TRACE);
  expect(sink.resources[0]).toMatchObject({ "service.name": "capstan", "service.instance.id": "n-1" });
  expect(sink.bodies.join()).not.toContain("hush");
});

test("an effect is a child; what it asks is a child of it, and so is its outcome; what follows is a child of its message", async () => {
  const told: (string | undefined)[] = [];
  const asks = jobs(async (effect, runtime) => {
    told.push(effect.traceparent);
    await runtime.apply(
      { resource: "trip", action: "plan", data: { name: "a" } },
      { principal: "ada", grant: "node", may: ["*"] },
    );
    return "done";
  });
  const { sink, node, stop } = await traced([admits(), asks, trips(), notes()]);
  expect(await node.send<unknown>("job.run", {}, { traceparent: CALLER })).toBe("done");
  await stop();
  expect(sink.tree().filter((line) => /job|trip|note/.test(line))).toEqual([
    "job.run > jobs.work",
    "jobs.work > job.done",
    "jobs.work > trip.plan",
    "remote > job.run",
    "trip.plan > note.write",
  ]);
  const effect = sink.span("jobs.work");
  expect(told).toEqual([`00-${TRACE}-${effect.spanId}-01`]);
  expect(effect.attributes).toMatchObject({ "capstan.outcome": "done" });
  const job = sink.span("job.run");
  expect(sink.spans.filter(({ name }) => /job|trip|note/.test(name)).every(({ traceId }) => traceId === TRACE)).toBe(
    true,
  );
  // It lasts until its caller is answered.
  expect(BigInt(job.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(effect.endTimeUnixNano));
});

test("an effect that is carried out at once is a child all the same, and a failed one says so", async () => {
  const fails = jobs(
    () => {
      throw new Error("no");
    },
    { replayable: true },
  );
  for (const [work, outcome] of [
    [jobs(() => "x", { replayable: true }), "done"],
    [fails, "failed"],
  ] as const) {
    const { sink, node, stop } = await traced([admits(), work]);
    await failing(node.send("job.run"));
    await stop();
    expect(sink.tree()).toContain("job.run > jobs.work");
    expect(sink.span("jobs.work").attributes["capstan.outcome"]).toBe(outcome);
    expect(sink.span("job.run").status.code ?? 0).toBe(outcome === "done" ? 0 : 2);
  }
});

test("what a failed append undid says so, and a query's span lasts until it is answered", async () => {
  const disk = faultyLog();
  const { sink, node, stop } = await traced([admits(), notes()], { log: disk.log });
  disk.full = true;
  expect(await failing(node.send("note.write", { name: "a", text: "x" }))).toBe("LOG_UNAVAILABLE");
  disk.full = false;
  await node.send("note.read", { name: "a" });
  await stop();
  expect(sink.span("note.write")).toMatchObject({ status: { code: 2, message: "LOG_UNAVAILABLE" } });
  expect(sink.span("note.read")).toMatchObject({ status: {}, attributes: { "capstan.verdict": "done" } });
});

test("what is still pending when the node stops is sent as it is", async () => {
  const { work } = byHand();
  const { sink, node, stop } = await traced([admits(), jobs(work)]);
  void failing(node.send("job.run"));
  await settled();
  const stopped = stop();
  node.time.advance(1);
  await stopped;
  expect(sink.span("job.run").attributes).toMatchObject({ "capstan.pending": true });
  expect(sink.span("jobs.work").attributes).toMatchObject({ "capstan.outcome": "cancelled" });
});

test("a caller who does not sample is not sampled, and its trace goes on all the same", async () => {
  const told: (string | undefined)[] = [];
  const { sink, node, stop } = await traced([admits(), jobs((effect) => String(told.push(effect.traceparent)))]);
  await node.send("job.run", {}, { traceparent: `00-${TRACE}-b7ad6b7169203331-00` });
  await stop();
  expect(sink.spans.filter(({ traceId }) => traceId === TRACE)).toEqual([]);
  expect(told[0]).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
});

test("a collector that refuses everything is told of once, and delays nothing", async () => {
  const { sink, node, warned, stop } = await traced([admits(), notes()]);
  sink.answers(400);
  for (let i = 0; i < 600; i++) await node.send("note.write", { name: `n${i}`, text: "x" });
  await stop();
  expect(warned).toEqual(["traces are lost: the collector does not take them. This is told once, until it does"]);
});

test("a collector that never answers holds nothing up: not the messages, and not the stop", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => promise });
  running.push({
    stop() {
      resolve(new Response());
      return server.stop(true);
    },
  });
  const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
  const tracer = await openTracer({
    config: { endpoint: `http://127.0.0.1:${server.port}/` },
    ...{ environment: {}, node: { id: "n-1", name: "test" }, logger },
  });
  const node = await start([admits(), notes()], { tracer });
  await node.send("note.write", { name: "a", text: "x" });
  await tracer?.stop(1);
  await node.send("note.write", { name: "b", text: "x" });
  await node.orchestrator.stop();
});

test("what is remembered is bounded, and what is forgotten while it is pending ends as it is", async () => {
  const { running: held, work } = byHand();
  const { sink, node, stop } = await traced([admits(), jobs(work), notes()]);
  void failing(node.send("job.run"));
  await settled();
  const { tracer } = node;
  const message = { resource: "other", action: "message", data: {} };
  for (let i = 0; i < 10_001; i++) tracer?.begin({ ...held[0]?.effect, message, id: `m-${i}` } as never);
  held[0]?.end("x");
  await settled();
  await stop();
  expect(sink.spans.length).toBeLessThan(10_000);
  expect(sink.span("job.run").attributes).toMatchObject({ "capstan.pending": true });
});
