// One run in QuickJS, in an instance of its own: its limits, its jobs, and what came of it. Guest code runs inside of
// `#inside` alone, which is where its limits end it. Nothing is freed in the end: the instance is dropped with all of it.

import type { QuickJSContext, QuickJSHandle, QuickJSRuntime, QuickJSWASMModule } from "quickjs-emscripten-core";
import { GUEST_PRELUDE, REFUSED } from "./guest-prelude.ts";
import { isDeeperThan } from "./json-depth.ts";
import {
  type AnswerMessage,
  type Outcome,
  type PlainFault,
  type RunMessage,
  WALL_FACTOR,
  type What,
} from "./script-messages.ts";

/** Of one run; a loop over what it may perform is an action's own to write. */
const MOST_PERFORMS = 100;
const MOST_FILE_CALLS = 1000;
/** Over all that it hands to the host: the node reads it where it does everything else. */
const MOST_HANDED_BYTES = 16 * 1024 * 1024;
const MOST_LOG_LINES = 100;
/** The wire takes no deeper data either. */
const DEEPEST_JSON = 100;
/** Between looks at the clock: a job that is short is not interrupted. */
const JOBS_AT_ONCE = 64;

export interface GuestEvents {
  ask(ask: number, what: What, data: string): void;
  log(level: "info" | "warn", text: string): void;
  waiting(answered: number, spent: number): void;
  ended(outcome: Outcome): void;
}

export class Guest {
  private readonly context: QuickJSContext;
  readonly #runtime: QuickJSRuntime;
  readonly #faults = new Map<number, PlainFault>();
  #start: QuickJSHandle | undefined;
  #failed: QuickJSHandle | undefined;
  #settle: QuickJSHandle | undefined;
  #spent = 0;
  #since = 0;
  #entered = 0;
  #overtime = false;
  #asked = 0;
  #open = 0;
  #answered = 0;
  #fileCalls = 0;
  #handed = 0;
  #lines = 0;
  #ended = false;
  #outcome: Outcome | undefined;

  constructor(
    quickjs: QuickJSWASMModule,
    private readonly job: Pick<RunMessage, "source" | "input" | "given" | "limits">,
    private readonly events: GuestEvents,
  ) {
    this.#runtime = quickjs.newRuntime();
    this.#runtime.setMemoryLimit(job.limits.memory);
    this.#runtime.setMaxStackSize(job.limits.depth);
    this.#runtime.setInterruptHandler(() => this.#isOver());
    this.context = this.#runtime.newContext();
  }

  run(): void {
    this.#inside(() => {
      this.#prepare();
      const module = this.#value(this.context.evalCode(this.job.source, "script", { type: "module" }));
      // Pending where its top level awaits.
      if (this.context.getPromiseState(module).type === "pending") this.#work();
      if (this.#overtime) return;
      const state = this.context.getPromiseState(module);
      if (state.type === "rejected") throw new GuestThrew(state.error);
      if (state.type === "fulfilled") this.#begin(state.value);
      else this.#fault("ACTION_FAILED", "the module's top level waits for what never comes");
    });
  }

  answer({ ask, value, fault }: AnswerMessage): void {
    if (this.#ended) return;
    this.#answered++;
    this.#open--;
    if (fault !== undefined) this.#faults.set(ask, fault);
    this.#inside(() => {
      const { context } = this;
      const text = value === undefined ? context.undefined : context.newString(value);
      const failure = fault === undefined ? context.undefined : context.newString(JSON.stringify(fault));
      const which = context.newNumber(ask);
      this.#value(context.callFunction(this.#settle as QuickJSHandle, context.undefined, which, text, failure));
      for (const told of [which, text, failure]) told.dispose();
    });
  }

  /** Whether it is a module that exports a default: nothing of it runs. (`compileOnly` of QuickJS reads freed memory.) */
  compile(): void {
    const known: Readonly<Record<string, string>> = { script: this.job.source, known: "export default 0;" };
    this.#runtime.setModuleLoader((name) => known[name] ?? { error: new Error(`could not load module '${name}'`) });
    this.#inside(() => {
      // Linking comes before running, and this cannot be linked: the first export that is missing is named.
      const source = 'import run from "script"; import { missing } from "known";';
      const linked = this.context.evalCode(source, "link", { type: "module" });
      const said = String((this.context.dump(linked.error ?? linked.value) as Error | undefined)?.message);
      if (linked.error === undefined) this.#fault("CONFIG_INVALID", "source: it cannot be told what it exports");
      else if (said.includes("'missing' in module 'known'")) this.#outcome ??= { kind: "output" };
      else if (said.includes("'default' in module 'script'")) {
        this.#fault(
          "CONFIG_INVALID",
          "source: it has no default export; write `export default function (input, capstan) { … }`",
        );
      } else this.#flaw(linked.error);
    });
  }

  /** Runs guest code and its jobs, and says what came of that. */
  #inside(enter: () => void): void {
    this.#since = cpuNow();
    this.#entered = performance.now();
    try {
      enter();
      if (this.#outcome === undefined) this.#work();
    } catch (thrown) {
      this.#caught(thrown);
    }
    this.#spent += cpuNow() - this.#since;
    if (this.#overtime) this.#outcome = overtime(this.job.limits.time);
    if (this.#outcome === undefined && this.#open === 0) {
      this.#fault(
        "ACTION_FAILED",
        "it waits for what never comes: its promise is not settled, and nothing is left to do",
      );
    }
    if (this.#outcome === undefined) {
      this.events.waiting(this.#answered, this.#spent);
      return;
    }
    this.#ended = true;
    this.events.ended(this.#outcome);
  }

  #prepare(): void {
    const { context } = this;
    const host = context.newFunction("host", (...words) => this.#host(words));
    const { input, given, limits } = this.job;
    const make = this.#value(context.evalCode(GUEST_PRELUDE, "capstan"));
    const prelude = this.#value(
      context.callFunction(
        make,
        context.undefined,
        host,
        context.newString(JSON.stringify(given)),
        input === undefined ? context.undefined : context.newString(input),
        context.newNumber(limits.output),
        context.newString(JSON.stringify(REFUSED)),
      ),
    );
    this.#start = context.getProp(prelude, "start");
    this.#failed = context.getProp(prelude, "failed");
    this.#settle = context.getProp(prelude, "settle");
  }

  #begin(namespace: QuickJSHandle): void {
    const { context } = this;
    const run = context.getProp(namespace, "default");
    this.#value(context.callFunction(this.#start as QuickJSHandle, context.undefined, run));
  }

  /** Its promise jobs, until none is left or it is over. */
  #work(): void {
    while (this.#outcome === undefined && this.#runtime.hasPendingJob()) {
      if (this.#isOver()) return;
      const done = this.#runtime.executePendingJobs(JOBS_AT_ONCE);
      if (done.error) throw new GuestThrew(done.error);
    }
  }

  /** What guest code says: strings, or nothing is understood. */
  #host(words: readonly QuickJSHandle[]): QuickJSHandle {
    const [kind = "", first = "", second = ""] = words.map((word) =>
      this.context.typeof(word) === "string" ? this.context.getString(word) : "",
    );
    return this.context.newNumber(this.#said(kind, first, second));
  }

  #said(kind: string, first: string, second: string): number {
    if (this.#outcome !== undefined || this.#ended) return 0;
    switch (kind) {
      case "ask":
        return this.#ask(first as What, second);
      case "log":
        if (++this.#lines <= MOST_LOG_LINES) this.events.log(first === "warn" ? "warn" : "info", second.slice(0, 1000));
        else if (this.#lines === MOST_LOG_LINES + 1) this.events.log("warn", "further lines are left out");
        return 0;
      case "output":
        this.#output(first);
        return 0;
      case "large":
        this.#outcome = { kind: "fault", fault: largeFault(this.job.limits) };
        return 0;
      case "refused": {
        const index = Number(first);
        const fault = index < 0 ? REFUSED[index as keyof typeof REFUSED] : this.#faults.get(index);
        this.#outcome = { kind: "fault", fault: fault ?? { code: "ACTION_FAILED", message: "it threw" } };
        return 0;
      }
      case "threw":
        this.#outcome = { kind: "fault", fault: thrownFault(first, second, this.job.limits) };
        return 0;
      default:
        return 0;
    }
  }

  #ask(what: What, data: string): number {
    const bytes = Buffer.byteLength(data);
    if (bytes > this.job.limits.output || this.#handed + bytes > MOST_HANDED_BYTES) return -2;
    this.#handed += bytes;
    if (isDeeperThan(data, DEEPEST_JSON)) return -3;
    const file = what !== "perform";
    if (file ? ++this.#fileCalls > MOST_FILE_CALLS : this.#asked - this.#fileCalls >= MOST_PERFORMS) return -1;
    this.#open++;
    this.events.ask(++this.#asked, what, data);
    return this.#asked;
  }

  #output(text: string): void {
    const { limits } = this.job;
    if (Buffer.byteLength(text) > limits.output) this.#outcome = { kind: "fault", fault: largeFault(limits) };
    else if (isDeeperThan(text, DEEPEST_JSON)) {
      this.#fault("SCRIPT_DEPTH", `its output is nested deeper than ${DEEPEST_JSON} levels`);
    } else this.#outcome = text === "" ? { kind: "output" } : { kind: "output", text };
  }

  /** What left guest code, or QuickJS itself. */
  #caught(thrown: unknown): void {
    if (this.#overtime || this.#outcome !== undefined) return;
    if (!(thrown instanceof GuestThrew)) {
      // QuickJS ran out of the host's stack, or gave up.
      if (thrown instanceof RangeError) this.#outcome = { kind: "fault", fault: depthFault(this.job.limits) };
      else this.#fault("SCRIPT_MEMORY", memoryText(this.job.limits));
      return;
    }
    try {
      // The prelude reads it, in the guest, where its getters do no harm.
      if (this.#failed !== undefined) {
        const { context } = this;
        this.#value(context.callFunction(this.#failed, context.undefined, thrown.error));
      }
    } catch {
      // Reading it took what was left.
    }
    if (!this.#overtime) this.#fault("SCRIPT_MEMORY", memoryText(this.job.limits));
  }

  /** A compiler's complaint, with the place. */
  #flaw(error: QuickJSHandle): void {
    const { message, stack, lineNumber } = this.context.dump(error) as {
      message?: string;
      stack?: string;
      lineNumber?: number;
    };
    const [, line = lineNumber, column] = /script:(\d+):(\d+)/.exec(stack ?? "") ?? [];
    const missing = /could not load module '(.*)'/.exec(message ?? "")?.[1];
    const said =
      missing === undefined
        ? message
        : `it imports "${missing}", and a script can import nothing; what imports is TypeScript of the operator's (--module), or a program of its own (--process)`;
    const place = line === undefined ? "" : ` (line ${line}${column === undefined ? "" : `, column ${column}`})`;
    const fault: PlainFault = { code: "CONFIG_INVALID", message: `source: ${said}${place}` };
    if (line !== undefined)
      fault.details = { line: Number(line), ...(column === undefined ? {} : { column: Number(column) }) };
    this.#outcome = { kind: "fault", fault };
  }

  #fault(code: string, message: string): void {
    this.#outcome ??= { kind: "fault", fault: { code, message } };
  }

  #isOver(): boolean {
    const { time } = this.job.limits;
    this.#overtime ||=
      this.#spent + (cpuNow() - this.#since) > time || performance.now() - this.#entered > time * WALL_FACTOR;
    return this.#overtime;
  }

  /** What the guest threw is thrown on. */
  #value(result: ReturnType<QuickJSContext["evalCode"]>): QuickJSHandle {
    if (result.error) throw new GuestThrew(result.error);
    return result.value;
  }
}

/** A value that guest code threw, on its way out of ours. */
class GuestThrew {
  constructor(readonly error: QuickJSHandle) {}
}

/** Milliseconds that this thread has used. */
function cpuNow(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function overtime(time: number): Outcome {
  return { kind: "fault", fault: { code: "SCRIPT_TIME", message: `it ran for more than ${time} ms` } };
}

function thrownFault(text: string, stack: string, limits: RunMessage["limits"]): PlainFault {
  if (text.startsWith("InternalError: out of memory")) return { code: "SCRIPT_MEMORY", message: memoryText(limits) };
  // A SyntaxError from its JSON.parse.
  if (/^\w+Error: stack overflow/.test(text)) return depthFault(limits);
  const line = /\bscript:(\d+)/.exec(stack)?.[1];
  return { code: "ACTION_FAILED", message: `${text || "it threw"}${line === undefined ? "" : ` (line ${line})`}` };
}

function depthFault({ depth }: RunMessage["limits"]): PlainFault {
  return { code: "SCRIPT_DEPTH", message: `its calls are nested deeper than ${depth} bytes of stack hold` };
}

function largeFault({ output }: RunMessage["limits"]): PlainFault {
  return { code: "SCRIPT_OUTPUT", message: `its output has more than ${output} bytes` };
}

function memoryText({ memory }: RunMessage["limits"]): string {
  return `it needed more than ${memory} bytes of memory`;
}
