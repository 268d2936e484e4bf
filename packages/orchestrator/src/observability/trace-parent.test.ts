import { expect, test } from "bun:test";
import { createOrchestrator } from "../orchestrator.ts";
import { createLogger } from "../server/logger.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits } from "../testing/start.fixture.ts";
import type { Observer } from "./observe-decisions.ts";
import { formatTraceParent, parseTraceParent } from "./trace-parent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = `00-${TRACE}-b7ad6b7169203331-01`;

test("a traceparent is taken apart and put together; a later version is read as far as it is known", () => {
  const parsed = parseTraceParent(CALLER);
  expect(parsed).toEqual({ trace: TRACE, span: "b7ad6b7169203331", sampled: true });
  expect(formatTraceParent({ trace: TRACE, span: "b7ad6b7169203331", sampled: true })).toBe(CALLER);
  expect(parseTraceParent(`${CALLER.replace(/^00/, "01")}-more`)?.trace).toBe(TRACE);
  expect(parseTraceParent(CALLER.replace(/01$/, "02"))?.sampled).toBe(false);
  expect([parseTraceParent(undefined), parseTraceParent(""), parseTraceParent("00-x-y-01")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("whoever observes decisions is told the caller's correlation and trace, and so is the node's log", async () => {
  const lines: string[] = [];
  const told: Parameters<Observer>[0][] = [];
  const log = createLogger({ destination: { write: (line) => void lines.push(line) } });
  const orchestrator = await createOrchestrator({
    plugins: [admits(), notes()] as never,
    onDecided(decided) {
      told.push(decided);
      log.observe(decided);
    },
  });
  const scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  const message = { resource: "note", action: "read", data: { name: "a" } };
  await scope.applyAction(message, { correlation: "order-7", traceparent: CALLER });
  await scope.applyAction(message);
  await orchestrator.stop();
  await log.flush();
  const [first, second] = told.filter((one) => one.message === "note.read");
  expect(first).toMatchObject({ correlation: "order-7", trace: TRACE });
  expect(Object.keys(second ?? {})).not.toContain("trace");
  expect(lines.map((line) => JSON.parse(line)).filter((line) => line.trace === TRACE)).toMatchObject([
    { message: "note.read", correlation: "order-7", id: first?.id as string },
  ]);
});
