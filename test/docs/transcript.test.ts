// The harness itself: what it takes out of a page, what it lets vary, and that it does fail where a page is wrong.

import { expect, test } from "bun:test";
import { type Block, blocksOf } from "./blocks.ts";
import { PageRun } from "./page-run.ts";
import { type Ids, matches, steps, withIds } from "./transcript.ts";
import { WarmPrograms } from "./warm-programs.ts";

const fence = "```";

function block(text: string, line = 1): Block {
  return { page: "a.md", line, language: "ts", run: true, output: false, file: undefined, text };
}

test("blocks are found with their tags, indented ones too", () => {
  const page = `# A\n${fence}ts run\nlet a;\n${fence}\n- b\n  ${fence}sh run\n  $ b\n  ${fence}\n${fence}ts file=c.ts\n${fence}\n`;
  expect(
    blocksOf("a.md", page).map(({ line, language, run, file, text }) => [line, language, run, file, text]),
  ).toEqual([
    [2, "ts", true, undefined, "let a;\n"],
    [6, "sh", true, undefined, "$ b\n"],
    [9, "ts", false, "c.ts", "\n"],
  ]);
  expect(() => blocksOf("a.md", `${fence}ts run\n`)).toThrow("a.md:1: the block is not closed");
});

test("a transcript is commands, here-documents included, and what they print", () => {
  expect(steps("$ a \\\n  b\nout\n\n$ c <<'E'\n{}\nE\n$ d\n")).toEqual([
    { command: "a \\\n  b", expected: ["out"] },
    { command: "c <<'E'\n{}\nE", expected: [] },
    { command: "d", expected: [] },
  ]);
  expect(() => steps("out\n$ a\n")).toThrow('starts with "$ command"');
});

test("what varies from run to run matches, and nothing else does", () => {
  const same = (expected: string, actual: string) => matches(expected.split("\n"), actual, new Map());
  expect(same("m-01JB refused in 3.1 ms", "m-0K2RT9 refused in 12 ms\n")).toBe(true);
  expect(same("open http://127.0.0.1:7420", "open http://127.0.0.1:43121")).toBe(true);
  expect(same("a … z\n…\nend", "a b z\n1\n2\nend\n")).toBe(true);
  expect(same("m-01JB", "g-01JB")).toBe(false);
  expect(same("entry 2", "entry 3")).toBe(false);
  expect(same("x-ray", "x-rax")).toBe(false);
  expect(same("a", "a\nb")).toBe(false);
  expect(same("a", "")).toBe(false);
  expect(same("127.0.0.1:7420", "10.0.0.1:7420")).toBe(false);
});

test("an id that a page repeats is one id, and stands for the real one in commands", () => {
  const ids: Ids = new Map();
  expect(matches(["m-1 m-1"], "m-8a m-8b", ids)).toBe(false);
  expect(matches(["m-1 m-1 m-2"], "m-8a m-8a m-9", ids)).toBe(true);
  expect(withIds("capstan explain m-1", ids)).toBe("capstan explain m-8a");
  expect(matches(["m-1"], "m-9", ids)).toBe(false);
});

test("a page's programs and commands run in one directory, and a server of it stays until the end", async () => {
  await using run = new PageRun("test-docs-good");
  run.write("greet.ts", 'export const greeting = "Hello";');
  await run.program(block('import { greeting } from "./greet.ts";\nconsole.log(greeting);'), block("Hello\n"));
  await run.transcript("$ ls greet.ts; false || echo $?\ngreet.ts\n1\n$ cat <<'E' | tr a b\nab\nE\nbb\n");
  await run.transcript(
    "$ bun -e 'console.log(\"ready\"); setInterval(() => {}, 1000)' &\nready\n$ echo after\nafter\n",
  );
});

test("a page that is wrong fails", async () => {
  await using run = new PageRun("test-docs-bad");
  await expect(run.program(block('throw new Error("no");'), undefined)).rejects.toThrow("the program ended with 1");
  await expect(run.program(block('console.log("a");'), block("b\n"))).rejects.toThrow("should print:\nb");
  await expect(run.transcript("$ echo a\nb\n")).rejects.toThrow("but printed:\na");
  await expect(run.transcript("$ echo a\n")).rejects.toThrow("but printed:\na");
  await expect(run.transcript("$ exit 3\n")).rejects.toThrow("ended with 3, which the page does not show");
  await expect(run.transcript("$ false &\nready\n")).rejects.toThrow("and go on running");
  expect(() => run.write("../a.ts", "")).toThrow("outside the page's directory");
});

test("programs that run one after the other in one process begin, end and fail as alone", async () => {
  await using programs = new WarmPrograms();
  await using run = new PageRun("test-docs-warm", programs);
  const code = (text: string) => run.program(block(text), undefined);
  run.write("count.ts", "export let count = 0;\nexport const add = () => ++count;");
  await run.program(block("setTimeout(() => console.log(process.cwd().endsWith('page')), 20);"), block("true\n"));
  await run.program(block("console.log('again');"), block("again\n"));
  await expect(code('throw new Error("no");')).rejects.toThrow(/ended with 1:\n.*no/s);
  await expect(code('setTimeout(() => { throw new Error("late"); });')).rejects.toThrow(/ended with 1:\n.*late/s);
  await expect(code('Promise.reject(new Error("left"));')).rejects.toThrow(/ended with 1:\n.*left/s);
  await expect(code("process.exitCode = 4;")).rejects.toThrow("ended with 4");
  await expect(code("process.exit(3);")).rejects.toThrow("ended with 3");
  await expect(run.program(block('console.log("a");'), block("b\n"))).rejects.toThrow("should print:\nb");
  await code("import { add } from './count.ts';\nif (add() !== 1) throw new Error();");
});
