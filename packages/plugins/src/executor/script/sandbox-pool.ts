// Processes and turns. As many guests compute at once as there are slots; one that waits for what it performs gives its slot
// away and keeps its process, so that a script which performs a script needs no slot for both.

import { type Fault, FaultError, fault } from "@capstan/orchestrator";
import { embeddedProgram, SandboxProcess } from "./sandbox-process.ts";

export interface PoolOptions {
  /** How many compute at once. */
  readonly slots: number;
  /** How many processes there are at most, those that wait included. */
  readonly processes: number;
  /** How many runs wait for their turn before others are refused. */
  readonly queue: number;
}

interface Starter {
  begin(process: SandboxProcess): void;
  refuse(fault: Fault): void;
}

export class SandboxPool {
  readonly #options: PoolOptions;
  readonly #all = new Set<SandboxProcess>();
  readonly #idle: SandboxProcess[] = [];
  readonly #starters: Starter[] = [];
  readonly #resumers: (() => void)[] = [];
  #program: Promise<string | undefined> | undefined;
  #text: string | undefined;
  #active = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** A process, and the slot that it computes in. @throws SCRIPT_BUSY, or the signal's reason */
  async take(signal: AbortSignal): Promise<Turn> {
    this.#program ??= embeddedProgram();
    this.#text = await this.#program;
    signal.throwIfAborted();
    if (this.#starters.length >= this.#options.queue) throw new FaultError(busy(`${this.#options.queue} scripts wait`));
    return new Promise<Turn>((resolve, reject) => {
      const starter: Starter = {
        begin: (process) => {
          signal.removeEventListener("abort", leave);
          resolve(new Turn(process, this.#slots));
        },
        refuse: (refused) => {
          signal.removeEventListener("abort", leave);
          reject(new FaultError(refused));
        },
      };
      const leave = (): void => {
        const place = this.#starters.indexOf(starter);
        if (place >= 0) this.#starters.splice(place, 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#starters.push(starter);
      this.#pump();
    });
  }

  /** Ends all processes; whoever uses one is told. */
  stop(): void {
    for (const starter of this.#starters.splice(0)) starter.refuse(busy("the node stops"));
    for (const process of this.#all) {
      const { events } = process;
      process.kill();
      events?.gone();
    }
    this.#all.clear();
    this.#idle.length = 0;
  }

  readonly #slots: Slots = {
    free: () => {
      this.#active--;
      this.#pump();
    },
    again: (resumed) => {
      this.#resumers.push(resumed);
      this.#pump();
    },
    giveBack: (process, usable) => {
      process.events = undefined;
      if (!usable || this.#idle.length >= this.#options.slots) this.#end(process);
      else this.#idle.push(process);
      this.#pump();
    },
  };

  #pump(): void {
    while (this.#active < this.#options.slots) {
      const resumed = this.#resumers.shift();
      if (resumed !== undefined) {
        this.#active++;
        resumed();
        continue;
      }
      if (this.#starters.length === 0) return;
      const process = this.#idle.pop() ?? this.#spawn();
      if (process === undefined) {
        // All processes wait for what their scripts perform; were this one of those things, all would wait for ever.
        if (this.#active > 0) return;
        const all = `all ${this.#all.size} processes wait for what their scripts perform, and no other can be started`;
        for (const starter of this.#starters.splice(0)) starter.refuse(busy(all));
        return;
      }
      this.#active++;
      this.#starters.shift()?.begin(process);
    }
  }

  #spawn(): SandboxProcess | undefined {
    if (this.#all.size >= this.#options.processes) return undefined;
    try {
      const process = new SandboxProcess(this.#text, (gone) => this.#forget(gone));
      this.#all.add(process);
      return process;
    } catch {
      // The system has no process left for us.
      return undefined;
    }
  }

  #end(process: SandboxProcess): void {
    process.kill();
    this.#forget(process);
    // So that the next run need not wait for one to start.
    const spare = this.#idle.length === 0 && this.#all.size < this.#options.slots ? this.#spawn() : undefined;
    if (spare !== undefined) this.#idle.push(spare);
  }

  #forget(process: SandboxProcess): void {
    this.#all.delete(process);
    const place = this.#idle.indexOf(process);
    if (place >= 0) this.#idle.splice(place, 1);
  }
}

interface Slots {
  free(): void;
  again(resumed: () => void): void;
  giveBack(process: SandboxProcess, usable: boolean): void;
}

/** One run's use of a process. */
export class Turn {
  #state: "computes" | "waits" | "wants" | "over" = "computes";

  constructor(
    readonly process: SandboxProcess,
    private readonly slots: Slots,
  ) {}

  get computes(): boolean {
    return this.#state === "computes";
  }

  /** Gives the slot away until `resume`. */
  pause(): void {
    if (this.#state !== "computes") return;
    this.#state = "waits";
    this.slots.free();
  }

  /** Calls back once there is a slot, unless it is over by then; at once where it has one. */
  resume(resumed: () => void): void {
    if (this.#state === "computes") resumed();
    if (this.#state !== "waits") return;
    this.#state = "wants";
    this.slots.again(() => {
      if (this.#state === "wants") {
        this.#state = "computes";
        resumed();
      } else this.slots.free();
    });
  }

  /** `usable`: the next run may have the process. */
  end(usable: boolean): void {
    if (this.#state === "over") return;
    const computed = this.#state === "computes";
    this.#state = "over";
    this.slots.giveBack(this.process, usable);
    if (computed) this.slots.free();
  }
}

function busy(why: string): Fault {
  return fault("SCRIPT_BUSY", `${why}; try again later`);
}
