// What hostile scripts try, each with what has to come of it: a refusal, a stop, or an answer that holds nothing of the
// host. `escapes.test.ts` tries each once; `main.ts` tries them without end beside a server's other callers.

export interface Escape {
  readonly name: string;
  /** The body of the guest's function, or with `export` in it a whole module. */
  readonly source: string;
  readonly configuration?: object;
  /** Codes of the fault that it may end with: any of them. */
  readonly ends?: readonly string[];
  /** Or what it may answer. */
  readonly answers?: unknown;
  /** It is refused when it is registered. */
  readonly unregistered?: true;
}

export interface Surroundings {
  /** A directory that is granted; `link`, `linked` lead out of it. */
  readonly granted: string;
  /** A directory beside it, with `secret.txt`. */
  readonly outside: string;
}

/** What a guest would have if it were out. */
const HOST_GLOBALS =
  "process Bun require module global window self fetch WebSocket XMLHttpRequest Worker SharedWorker SharedArrayBuffer Atomics WebAssembly " +
  "setTimeout setInterval setImmediate queueMicrotask structuredClone navigator Deno postMessage importScripts std os print scriptArgs crypto Buffer";
const NONE: readonly string[] = [];
const TIME = ["SCRIPT_TIME"];
const FAILED = ["ACTION_FAILED"];
const DEPTH = ["SCRIPT_DEPTH", "SCRIPT_TIME"];
/** Whichever limit is met first. */
const STOPPED = ["SCRIPT_TIME", "SCRIPT_MEMORY", "SCRIPT_DEPTH", "ACTION_FAILED"];

export function escapes({ granted, outside }: Surroundings): readonly Escape[] {
  const files = { files: { read: [granted], write: [granted] } };
  const codes = (paths: readonly string[]): string => `
    const codes = [];
    for (const path of ${JSON.stringify(paths)}) {
      codes.push(await fs.readText(path).catch((error) => error.code), await fs.writeText(path, "over").catch((error) => error.code));
    }
    return [...new Set(codes)];`;
  return [
    {
      name: "globals of the host",
      source: `return ${JSON.stringify(HOST_GLOBALS)}.split(" ").filter((name) => name in globalThis);`,
      answers: NONE,
    },
    {
      name: "constructors that reach a global object",
      source: `const seen = [];
        for (const one of [function () {}, async () => {}, function* () {}, perform, log, console.log, publication, Promise, Error]) {
          try { seen.push(typeof one.constructor.constructor("return this.process ?? this.Bun ?? this.require")()); } catch { seen.push("undefined"); }
        }
        return [...new Set(seen)];`,
      answers: ["undefined"],
    },
    {
      name: "eval and callers in the stack",
      source: `const up = [];
        Error.prepareStackTrace = (_, sites) => { up.push(...sites.map((site) => typeof site.getThis?.())); return sites; };
        try { null.x; } catch (error) { void error.stack; }
        const called = (function () { try { return arguments.callee.caller; } catch { return null; } })();
        return [up.filter((one) => one === "object"), called, (0, eval)("typeof process")];`,
      answers: [[], null, "undefined"],
    },
    {
      name: "a static import",
      source: 'import fs from "node:fs"; export default () => fs;',
      ends: ["CONFIG_INVALID"],
      unregistered: true,
    },
    {
      name: "an export of another module",
      source: 'export { default } from "bun";',
      ends: ["CONFIG_INVALID"],
      unregistered: true,
    },
    {
      name: "a dynamic import",
      source: `const codes = [];
        for (const name of ["node:fs", "bun", "script", "capstan", "./guest.ts", "file:///etc/passwd", "data:text/javascript,export default 1"]) {
          codes.push(await import(name).then((module) => typeof module.default, () => "refused"));
        }
        return codes.filter((one) => one !== "refused" && one !== "function");`,
      answers: NONE,
    },
    {
      name: "a worker, or memory that is shared",
      source: "new Worker('data:text/javascript,'); new SharedArrayBuffer(1);",
      ends: FAILED,
    },
    { name: "a loop without end", source: "for (;;);", ends: TIME },
    { name: "a loop without end at the top", source: "for (;;); export default 1;", ends: TIME },
    {
      name: "a loop that catches its end",
      source: "for (;;) { try { for (;;); } catch {} finally { continue; } }",
      ends: TIME,
    },
    {
      name: "a flood of promise jobs",
      source: "const again = () => Promise.resolve().then(again); await again();",
      ends: TIME,
    },
    { name: "a generator without end", source: "Array.from((function* () { for (;;) yield 1; })());", ends: STOPPED },
    { name: "an expression that takes for ever", source: "/^(a+)+$/.test('a'.repeat(64) + 'b');", ends: TIME },
    {
      name: "a native loop that nothing interrupts",
      source: "[].indexOf.call({ length: 2 ** 53 - 1 }, 1);",
      ends: TIME,
    },
    { name: "a search in long strings", source: "'a'.repeat(8e6).lastIndexOf('a'.repeat(4e6) + 'b');", ends: TIME },
    { name: "numbers without end", source: "let x = 7n; for (;;) x *= x;", ends: STOPPED },
    { name: "memory in arrays", source: "const all = []; for (;;) all.push(new Array(10000).fill(0));", ends: STOPPED },
    {
      name: "memory in buffers",
      source: "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));",
      ends: STOPPED,
    },
    {
      name: "memory in one string",
      source: "let s = 'ab'; const all = []; for (;;) all.push((s += s));",
      ends: STOPPED,
    },
    {
      name: "an array of four thousand million",
      source: "return new Array(2 ** 32 - 1).fill(0).length;",
      ends: STOPPED,
    },
    {
      name: "memory in promises that wait",
      source: "for (;;) void new Promise(() => {}).then(() => {});",
      ends: STOPPED,
    },
    { name: "recursion", source: "(function f() { f(); })();", ends: DEPTH },
    { name: "recursion in a parser", source: "eval('['.repeat(1e6));", ends: DEPTH },
    { name: "recursion in JSON", source: "JSON.parse('['.repeat(1e6));", ends: DEPTH },
    {
      name: "recursion in a proxy's chain",
      source: "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x;",
      ends: STOPPED,
    },
    { name: "an output that is large", source: "return 'x'.repeat(300000);", ends: ["SCRIPT_OUTPUT"] },
    {
      name: "an output that is deep",
      source: "let deep = 1; for (let i = 0; i < 150; i++) deep = { deep }; return deep;",
      ends: DEPTH,
    },
    {
      name: "a perform of what is large",
      source: "await perform('echo', 'x'.repeat(300000));",
      ends: ["SCRIPT_OUTPUT"],
    },
    { name: "performs without end", source: "for (;;) await perform('echo');", ends: ["SCRIPT_CALLS"] },
    {
      name: "lines of log without end, and with control characters",
      source: "for (let i = 0; i < 1000; i++) console.log('\\u001b[2J\\r\\n{}'.repeat(1000)); return 1;",
      answers: 1,
    },
    {
      name: "a perform beyond may",
      source: `const codes = [];
        for (const name of ["vault", "*", "echo\\u0000", "", "../echo", "action.perform:vault"]) codes.push(await perform(name).catch((error) => error.code));
        return codes.filter((code) => code !== "REFUSED" && code !== "MESSAGE_INVALID" && code !== "ACTION_UNKNOWN");`,
      answers: NONE,
    },
    { name: "a perform beyond may that nobody catches", source: "await perform('vault');", ends: ["REFUSED"] },
    {
      name: "names that are no names",
      source: `perform({ toString() { return "vault"; } });`,
      ends: FAILED,
    },
    {
      name: "getters, proxies and toJSON on the way out",
      source: `return new Proxy({}, { ownKeys: () => ["a", "b"], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
          get: (_, key) => (key === "toJSON" ? undefined : { toJSON: () => key }) });`,
      answers: { a: "a", b: "b" },
    },
    {
      name: "an output that would be a prototype",
      source: `return JSON.parse('{"a": [{"__proto__": {"polluted": true}}]}');`,
      ends: ["OUTPUT_INVALID"],
    },
    { name: "a getter without end on the way out", source: "return { get a() { for (;;); } };", ends: TIME },
    {
      name: "a toJSON without end on the way to a perform",
      source: "await perform('echo', { toJSON() { for (;;); } });",
      ends: TIME,
    },
    { name: "a thenable without end", source: "return { then() { for (;;); } };", ends: TIME },
    {
      name: "a module that is a thenable",
      source: "export function then(resolve) { resolve({ default: 1 }); } export default () => 1;",
      answers: 1,
    },
    {
      name: "intrinsics that were changed",
      source: `JSON.stringify = () => "{"; JSON.parse = () => ({ files: true }); String.prototype.slice = () => "x".repeat(1e6);
        Reflect.apply = () => {}; Function.prototype.call = () => {}; WeakMap.prototype.get = () => 1; Array.prototype.toJSON = () => "changed";
        Object.defineProperty(Object.prototype, "code", { get() { return "REFUSED"; }, configurable: true });
        return [1];`,
      answers: "changed",
    },
    {
      name: "an error whose message is a getter without end",
      source: "throw { __proto__: Error.prototype, get message() { for (;;); } };",
      ends: TIME,
    },
    {
      name: "an error that says it is another, in many lines",
      source: `throw Object.defineProperty(Object.assign(new Error("x\\r\\n\\u001b[31m".repeat(1e4)), { code: "INTERNAL", name: "FaultError" }), "stack",
        { get() { throw new Error("at /etc/passwd:1"); } });`,
      ends: FAILED,
    },
    {
      name: "nothing that can be told",
      source: "throw { toString() { throw 1; }, get stack() { throw 2; } };",
      ends: FAILED,
    },
    {
      name: "a fault that never happened",
      source: "throw Object.assign(new Error('no'), { code: 'REFUSED' });",
      ends: FAILED,
    },
    {
      name: "a file outside",
      source: codes([
        `${outside}/secret.txt`,
        "/etc/passwd",
        "/proc/self/environ",
        `/proc/self/cwd${outside}/secret.txt`,
        "/dev/zero",
      ]),
      configuration: files,
      answers: ["FILE_REFUSED"],
    },
    {
      name: "a file beside, by ..",
      source: codes([
        "../outside/secret.txt",
        `${granted}/../outside/secret.txt`,
        "sub/../../outside/secret.txt",
        "./..",
        "sub/\u0000/../x",
      ]),
      configuration: files,
      answers: ["FILE_REFUSED"],
    },
    {
      name: "a file outside, over a link",
      source: codes(["link", "linked/secret.txt", "linked/sub/../secret.txt", `${granted}/linked/secret.txt`]),
      configuration: files,
      answers: ["FILE_REFUSED"],
    },
    {
      name: "files where none were named",
      source: "return [typeof fs, Object.keys(arguments[1]).includes('fs')];",
      answers: ["undefined", false],
    },
    {
      name: "directories that the registrant's grant does not cover",
      source: "return await fs.readText('secret.txt');",
      configuration: { files: { read: [outside], write: [] } },
      ends: ["REFUSED"],
      unregistered: true,
    },
    {
      name: "a directory that is a way to another",
      source: "return await fs.readText('secret.txt');",
      configuration: { files: { read: [`${granted}/../outside`], write: [] } },
      ends: ["CONFIG_INVALID"],
      unregistered: true,
    },
    {
      name: "a directory that is a link to another",
      source: "return await fs.readText('secret.txt');",
      configuration: { files: { read: [`${granted}/linked`], write: [] } },
      ends: ["FILE_REFUSED"],
    },
  ];
}

/** The source of an escape as a module. */
export function moduleOf({ source }: Escape): string {
  if (/(^|\s)export /.test(source)) return source;
  return `export default async function (input, { perform, log, fs, publication }) { ${source} }`;
}
