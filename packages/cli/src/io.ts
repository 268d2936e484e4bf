// What the program touches of the process it runs in: streams, environment, directory, signals. Commands get all of it from
// here, so that a test runs them without a process.

export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person reads the stream. */
  readonly terminal: {
    readonly stdout: boolean;
    readonly stderr: boolean;
    /** How wide and high the terminal is now, where it is known. */
    columns?(): number | undefined;
    rows?(): number | undefined;
  };
  stdout(text: string): void;
  stderr(text: string): void;
  stdin(): Promise<Uint8Array>;
  /** Told of errors that nobody caught, from here on; they do not end the process. */
  strays(report: (error: unknown) => void): void;
  /** Resolves when the process is asked to stop. */
  stopped(): Promise<void>;
  /** Calls back after so many milliseconds, unless it is called off. */
  after(milliseconds: number, call: () => void): () => void;
}

/** The real process. */
export function processIo(): Io {
  return {
    cwd: process.cwd(),
    env: process.env,
    terminal: {
      stdout: process.stdout.isTTY === true,
      stderr: process.stderr.isTTY === true,
      columns: () => process.stderr.columns ?? process.stdout.columns,
      rows: () => process.stdout.rows ?? process.stderr.rows,
    },
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    stdin: () => Bun.stdin.bytes(),
    strays(report) {
      process.on("uncaughtException", report);
      process.on("unhandledRejection", report);
    },
    stopped: () =>
      new Promise((resolve) => {
        const stop = (signal: NodeJS.Signals): void => {
          // A second one means now.
          process.once(signal, () => process.exit(signal === "SIGINT" ? 130 : 143));
          resolve();
        };
        process.once("SIGTERM", stop);
        process.once("SIGINT", stop);
      }),
    after(milliseconds, call) {
      const timer = setTimeout(call, milliseconds);
      return () => clearTimeout(timer);
    },
  };
}
