// The figures of the kernel: what each compares with what, and what it should come to. Goals: issue 2, "Must show" 7.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Address, Call, Load, Loaded } from "./client.ts";
import { FLUSHES } from "./flush.ts";
import { CLIENT_CORE, cpuMicros, diskDirectory, SERVER_CORE } from "./machine.ts";
import { alternate, median, type Rounds, type Side } from "./rounds.ts";
import { startWorker, type Worker } from "./worker.ts";

interface Goal {
  readonly name: string;
  readonly what: string;
  readonly unit: "calls/s" | "entries/s" | "ms";
  /** In words: what is compared with it differs from figure to figure. */
  readonly goal: string;
}

export interface Cpu {
  readonly server: number;
  readonly client: number;
}

/** A figure as it is printed. */
export interface Figure extends Goal {
  readonly ours: number;
  readonly anchor: number;
  /** The median of the rounds' ratios: a round's two sides met the same machine. */
  readonly ratio: number;
  readonly rounds: number;
  readonly rejected: number;
  readonly disturbed: number;
  /** Microseconds a call, of both processes. */
  readonly cpu: { readonly ours: Cpu; readonly anchor: Cpu };
}

interface Subject {
  readonly server: "hub" | "hub with log" | "echo";
  readonly call: Call;
  readonly inFlight: number;
}

interface Throughput extends Goal {
  readonly ours: Subject;
  readonly anchor: Subject;
}

const throughputs: readonly Throughput[] = [64, 512].flatMap((inFlight): Throughput[] => {
  const echo: Subject = { server: "echo", call: "echo", inFlight };
  return [
    {
      name: `query/${inFlight}`,
      what: `a query through five plugins and zod against a capnweb echo, ${inFlight} in flight`,
      unit: "calls/s",
      goal: "ratio ≥ 0.85",
      ours: { server: "hub", call: "query", inFlight },
      anchor: echo,
    },
    {
      name: `perform/${inFlight}`,
      what: `a durable perform against a capnweb echo, ${inFlight} in flight`,
      unit: "calls/s",
      goal: "ratio ≥ 0.5",
      ours: { server: "hub", call: "perform", inFlight },
      anchor: echo,
    },
  ];
});

const logLine: Throughput = {
  name: "log-line",
  what: "a durable perform with a log line a message against one without, 64 in flight",
  unit: "calls/s",
  goal: "ratio ≥ 0.85",
  ours: { server: "hub with log", call: "perform", inFlight: 64 },
  anchor: { server: "hub", call: "perform", inFlight: 64 },
};

const alone: Goal = {
  name: "perform/alone",
  what: "p50 of a lone durable perform against a bare flush of a page in the same directory",
  unit: "ms",
  goal: "≤ 0.5 ms at a flush of 0.2",
};

export const figureNames: readonly string[] = [...throughputs, logLine, alone].map(({ name }) => name);

const ROUND_MS = 1000;
/** Calls after which the compiler is done with the hot path; a busy or slow machine gets no more time than this for them. */
const WARM_UP_CALLS = 30_000;
const WARM_UPS = 8;

/** Measures the figures of these names, each with fresh processes and a fresh log. */
export async function* measure(names: readonly string[], rounds: number): AsyncGenerator<Figure, void, void> {
  for (const figure of [...throughputs, logLine]) {
    if (!names.includes(figure.name)) continue;
    yield await measured(async (processes) => {
      const ours = await processes.side(figure.ours);
      const anchor = await processes.side(figure.anchor);
      return summary(figure, await alternate(rounds, ours, anchor));
    });
  }
  if (names.includes(alone.name)) yield await measured((processes) => measureAlone(processes, rounds));
}

async function measureAlone(processes: Processes, rounds: number): Promise<Figure> {
  const perform = await processes.connected({ server: "hub", call: "perform", inFlight: 1 });
  const ours = async (): Promise<Side> => {
    const { loaded, side } = await perform(ROUND_MS);
    return { ...side, value: loaded.latency };
  };
  const anchor = async (): Promise<Side> => {
    const { client, directory } = processes;
    const { millis, cpu } = (await client.ask("flush", directory)) as { millis: number; cpu: number };
    return { value: millis, cpu: { server: 0, client: cpu / FLUSHES }, used: cpu };
  };
  return summary(alone, await alternate(rounds, ours, anchor));
}

/** The processes of one figure: a client, and the servers that it needs. */
class Processes {
  readonly directory = diskDirectory();
  readonly #servers: Worker[] = [];
  #client: Worker | undefined;

  get client(): Worker {
    return this.#client as Worker;
  }

  async start(): Promise<void> {
    this.#client = await startWorker(new URL("./client.ts", import.meta.url), CLIENT_CORE);
  }

  /** A server with the client connected to it, warm: answers how to load it. */
  async connected({ server, call, inFlight }: Subject) {
    const worker = await this.#server(server);
    const address = (await worker.ask("address")) as Address;
    const connection = (await this.client.ask("connect", address)) as number;
    const run = async (ms: number): Promise<{ readonly loaded: Loaded; readonly side: Side }> => {
      const own = cpuMicros();
      const before = (await worker.ask("cpu")) as number;
      const loaded = (await this.client.ask("load", { connection, call, inFlight, ms } satisfies Load)) as Loaded;
      const cpu = ((await worker.ask("cpu")) as number) - before;
      const side = {
        value: (loaded.calls / loaded.ms) * 1000,
        cpu: { server: cpu / loaded.calls, client: loaded.cpu / loaded.calls },
        used: cpu + loaded.cpu + cpuMicros() - own,
      };
      return { loaded, side };
    };
    for (let i = 0, calls = 0; i < WARM_UPS && calls < WARM_UP_CALLS; i++) calls += (await run(ROUND_MS)).loaded.calls;
    return run;
  }

  async side(subject: Subject): Promise<() => Promise<Side>> {
    const run = await this.connected(subject);
    return async () => (await run(ROUND_MS)).side;
  }

  async end(): Promise<void> {
    for (const worker of [...this.#servers, ...(this.#client ? [this.#client] : [])]) await worker.end();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #server(kind: Subject["server"]): Promise<Worker> {
    const data = mkdtempSync(join(this.directory, "node-"));
    const worker =
      kind === "echo"
        ? await startWorker(new URL("./echo-server.ts", import.meta.url), SERVER_CORE)
        : await startWorker(
            new URL("./hub-server.ts", import.meta.url),
            SERVER_CORE,
            data,
            ...(kind === "hub with log" ? ["log"] : []),
          );
    this.#servers.push(worker);
    return worker;
  }
}

async function measured(work: (processes: Processes) => Promise<Figure>): Promise<Figure> {
  const processes = new Processes();
  try {
    await processes.start();
    return await work(processes);
  } finally {
    await processes.end();
  }
}

function summary({ name, what, unit, goal }: Goal, { ours, anchor, rejected, disturbed }: Rounds): Figure {
  const cpu = (sides: readonly Side[]): Cpu => ({
    server: median(sides.map((side) => side.cpu.server)),
    client: median(sides.map((side) => side.cpu.client)),
  });
  return {
    ...{ name, what, unit, goal, rejected, disturbed },
    ours: median(ours.map(({ value }) => value)),
    anchor: median(anchor.map(({ value }) => value)),
    ratio: median(ours.map(({ value }, i) => value / (anchor[i] as Side).value)),
    rounds: ours.length,
    cpu: { ours: cpu(ours), anchor: cpu(anchor) },
  };
}
