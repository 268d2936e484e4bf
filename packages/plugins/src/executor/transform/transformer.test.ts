// Transforms: what they give, how they fail, and that none holds up the node.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FaultError, systemTimers, type Timers } from "@capstan/orchestrator";
import { createTransformer } from "./transformer.ts";

// A machine that has much else to do needs longer than the work does.
const DEADLINE_MS = 60_000;

/** A deadline passes when the test says so: until then a busy machine may be slow. */
class Deadlines implements Timers {
  readonly #set = new Set<() => void>();

  after(ms: number, callback: () => void): () => void {
    if (ms !== DEADLINE_MS) return systemTimers.after(ms, callback);
    this.#set.add(callback);
    return () => void this.#set.delete(callback);
  }

  /** Not before one is set: that is when a worker has begun. */
  async pass(): Promise<void> {
    while (this.#set.size === 0) await Bun.sleep(1);
    const passed = [...this.#set];
    this.#set.clear();
    for (const callback of passed) callback();
  }
}

const transformer = createTransformer({ deadline: DEADLINE_MS });
const deadlines = new Deadlines();
const stoppable = createTransformer({ deadline: DEADLINE_MS, timers: deadlines });
afterAll(() => {
  transformer.stop();
  stoppable.stop();
});
const never = new AbortController().signal;
const evaluate = (expression: string, input?: unknown, bindings: object = {}, by = transformer) =>
  by.evaluate(expression, input, bindings, never);
const refused = (expression: string, input?: unknown, by = transformer): Promise<string> =>
  evaluate(expression, input, {}, by).then(
    (value) => Promise.reject(new Error(`it gave ${JSON.stringify(value)}`)),
    (thrown: FaultError) => `${thrown.code}: ${thrown.message}`,
  );

describe("an expression", () => {
  test.each([
    ['{ "to": name, "n": $count(list) }', { name: "Ada", list: [1, 2] }, { to: "Ada", n: 2 }],
    ["list[n > 1].n", { list: [{ n: 1 }, { n: 2 }, { n: 3 }] }, [2, 3]],
    ["missing", {}, undefined],
    ["$", "text", "text"],
    ["$", null, null],
    ['$publication.topic & "!"', {}, "action.greet!"],
    ['$pad("a", -3, "-")', {}, "--a"],
    ['$length($pad("a", 1000000000))', {}, 10_000],
    ["7", undefined, 7],
  ])("%s", async (expression, input, output) => {
    expect(await evaluate(expression, input, { publication: { topic: "action.greet" } })).toEqual(output as never);
  });

  test("is checked before it is used: what is wrong, and where", async () => {
    expect(await transformer.check("a.b[0]")).toBeUndefined();
    expect(await transformer.check("a +")).toMatch(/^Unexpected end of expression \(at character \d+\)$/);
    expect(await transformer.check("{")).toContain("(at character 1)");
    expect(await transformer.check("(".repeat(9000))).toBeString();
  });

  test.each([
    ['$sum("a")', /must be an array of/],
    ["$nothing()", /Attempted to invoke a non-function \(at character/],
    ['$error("no " & name)', /^TRANSFORM_FAILED: no Ada/],
    ["($f := function($x) { 1 + $f($x) }; $f(1))", /Stack overflow/],
    ["[1..9000000]", /sequence length/],
  ])("%s that fails says why", async (expression, says) => {
    expect(await refused(expression, { name: "Ada" })).toMatch(says);
  });

  test("has nothing of the node: neither its globals nor a prototype", async () => {
    for (const expression of [
      "$process",
      "$Bun",
      "$constructor",
      "$.constructor",
      "$__proto__",
      '$lookup($, "__proto__")',
    ]) {
      expect(await evaluate(expression, { a: 1 })).toBeUndefined();
    }
  });

  test("that gives too much is told so", async () => {
    expect(await refused('$join([1..600].$pad("a", 9999))')).toContain("more than 4194304 characters");
  });

  test("may give many small things", async () => {
    const many = Array.from({ length: 700_000 }, () => 1);
    expect(await evaluate("$", many)).toHaveLength(many.length);
  });

  test.each([
    ["doubling", '($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f("x", 30))'],
    ["repeating", '($s := $join([1..419].$pad("a", 9999)); [1..500].$s)'],
    ["joining", '($s := $join([1..419].$pad("a", 9999)); $join([1..500].$s))'],
    ["writing out", '($s := $join([1..419].$pad("a", 9999)); $length($string([1..500].$s)))'],
  ])("that makes gigabytes of text is stopped before there are any: by %s", async (_, expression) => {
    expect(await refused(expression)).toContain("it makes texts of more than 134217728 characters");
  });
});

describe("an expression that does not end", () => {
  test.each([
    ["recursion", "($f := function($x) { $f($x + 1) }; $f(1))"],
    ["a regular expression", `$match("${"a".repeat(60)}!", /^(([a-z])+.)+[A-Z]([a-z])+$/)`],
  ])("is stopped at its deadline, and others go on: %s", async (_, endless) => {
    const stopped = refused(endless, undefined, stoppable);
    expect(await Promise.all([1, 2, 3].map((n) => evaluate("$ + 1", n, {}, stoppable)))).toEqual([2, 3, 4]);
    await deadlines.pass();
    expect(await stopped).toStartWith("TRANSFORM_FAILED: it took longer than 60000 ms, and was stopped");
    expect(await evaluate("$", "after", {}, stoppable)).toBe("after");
  });

  test("takes one worker at most, however often it is asked", async () => {
    const endless = "($f := function($x) { $f($x + 1) }; $f(2))";
    const stopped = [1, 2].map(() => refused(endless, undefined, stoppable));
    expect(await evaluate("$", "meanwhile", {}, stoppable)).toBe("meanwhile");
    for (const one of stopped) {
      await deadlines.pass();
      expect(await one).toStartWith("TRANSFORM_FAILED");
    }
  });

  test("is stopped by the clock, where nobody else says so", async () => {
    const brief = createTransformer({ deadline: 100 });
    const said = await refused("($f := function($x) { $f($x + 1) }; $f(1))", undefined, brief);
    expect(said).toMatch(/^TRANSFORM_FAILED: (it took longer than 100 ms|Evaluation timeout after 100)/);
    brief.stop();
  });
});

test("an aborted one is left, and one that waits is not begun", async () => {
  const abort = new AbortController();
  const endless = "($f := function($x) { $f($x + 1) }; $f(3))";
  const both = [1, 2].map((n) => stoppable.evaluate(endless, n, {}, abort.signal).catch((thrown) => thrown));
  abort.abort("enough");
  expect(await Promise.all(both)).toEqual(["enough", "enough"]);
  expect(await stoppable.evaluate("$", 1, {}, abort.signal).catch((thrown) => thrown)).toBe("enough");
  await deadlines.pass();
  expect(await evaluate("$", "after", {}, stoppable)).toBe("after");
});

test("stopping ends what runs and what waits, and a stopped one can be started again", async () => {
  const one = createTransformer({ workers: 1 });
  const running = one
    .evaluate("($f := function($x) { $f($x + 1) }; $f(4))", 1, {}, never)
    .catch((thrown) => thrown.code);
  const waiting = one.evaluate("$", 1, {}, never).catch((thrown) => thrown.code);
  one.stop();
  expect(await Promise.all([running, waiting])).toEqual(["STOPPING", "STOPPING"]);
  expect(await one.evaluate("$", 1, {}, never)).toBe(1);
  one.stop();
});

test("works in a compiled program, without a file beside it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "capstan-transform-"));
  try {
    const source = join(directory, "main.ts");
    writeFileSync(
      source,
      `import { createTransformer } from ${JSON.stringify(join(import.meta.dir, "transformer.ts"))};
const one = createTransformer();
console.log(await one.evaluate('name & "!"', { name: "Ada" }, {}, new AbortController().signal));`,
    );
    const program = join(directory, "main");
    const built = await Bun.build({
      entrypoints: [source],
      target: "bun",
      minify: true,
      compile: { outfile: program } as never,
    });
    expect(built.success).toBe(true);
    const run = Bun.spawnSync([program], { cwd: "/", env: {} });
    expect(run.stdout.toString()).toBe("Ada!\n");
    expect(run.exitCode).toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
