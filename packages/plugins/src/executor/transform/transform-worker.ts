// What runs in a transform's worker: JSONata, and nothing of ours. It is a text, so that it needs no file beside the program.

import jsonata from "jsonata/jsonata.min.js" with { type: "text" };

/** What a worker is asked: an expression to be checked, or evaluated over JSON. */
export interface Asked {
  readonly expression: string;
  /** The input's JSON; `undefined` where there is none. */
  readonly input?: string | undefined;
  /** JSON of what the expression finds as `$name`. */
  readonly bindings?: string;
  readonly check?: boolean;
}

/** What it answers; `ready` once, unasked, when it can be asked. */
export interface Answered {
  readonly ready?: boolean;
  /** The output's JSON; `undefined` where there is none. */
  readonly output?: string | undefined;
  readonly problem?: { readonly message: string; readonly position?: number };
}

/** Bounds inside of a worker. What does not keep to them, as a regular expression does not, is killed with it. */
export interface Bounds {
  readonly timeout: number;
  readonly stack: number;
  readonly sequence: number;
  readonly expressions: number;
  readonly width: number;
  /** UTF-16 code units of an output. */
  readonly output: number;
  /** UTF-16 code units of all texts that it comes by on the way. */
  readonly texts: number;
}

/** Runs in the worker; it is given everything, because only its text gets there. */
function serve(compile: (expression: string, options: Bounds) => Expression, bounds: Bounds): void {
  const known = new Map<string, Expression>();
  let texts = 0;

  /** JSONata tells of each step's result. A text that doubles thirty times costs nothing until it is written out. */
  function told(_step: unknown, _input: unknown, _environment: unknown, result: unknown): void {
    if (typeof result !== "string") return;
    texts += result.length;
    if (texts > bounds.texts) throw new Error(`it makes texts of more than ${bounds.texts} characters`);
  }

  /** The output's JSON, no more of it than anybody takes. */
  function written(output: unknown): string | undefined {
    let left = bounds.output;
    return JSON.stringify(output, function (this: unknown, key, value: unknown) {
      left -= (Array.isArray(this) ? 0 : key.length) + (typeof value === "string" ? value.length : 1);
      if (left < 0) throw new Error(`it gave more than ${bounds.output} characters, which is the most`);
      return value;
    });
  }

  function compiled(text: string): Expression {
    let expression = known.get(text);
    if (expression === undefined) {
      expression = compile(text, bounds);
      // Its own asks for as much memory as the expression says.
      expression.registerFunction(
        "pad",
        (value: unknown, width: number, char = " ") => {
          if (typeof value !== "string") return undefined;
          const most = Math.min(Math.abs(width), bounds.width);
          return width < 0 ? value.padStart(most, char) : value.padEnd(most, char);
        },
        "<s-ns?:s>",
      );
      expression.assign(Symbol.for("jsonata.__evaluate_exit"), told);
      if (known.size >= bounds.expressions) known.clear();
      known.set(text, expression);
    }
    return expression;
  }

  async function answer({ expression, input, bindings, check }: Asked): Promise<Answered> {
    try {
      const found = compiled(expression);
      if (check) return {};
      texts = 0;
      const given: unknown = input === undefined ? undefined : JSON.parse(input);
      return {
        output: written(await found.evaluate(given, bindings === undefined ? {} : JSON.parse(bindings))),
      };
    } catch (thrown) {
      const { message, position } = thrown as { message?: unknown; position?: unknown };
      return {
        problem: {
          message: String(message ?? thrown).slice(0, 300),
          ...(typeof position === "number" ? { position } : {}),
        },
      };
    }
  }

  const scope = globalThis as unknown as {
    onmessage: (event: { readonly data: Asked }) => void;
    postMessage(answered: Answered): void;
  };
  scope.onmessage = ({ data }) => void answer(data).then((answered) => scope.postMessage(answered));
  scope.postMessage({ ready: true });
}

interface Expression {
  evaluate(input: unknown, bindings: Record<string, unknown>): Promise<unknown>;
  assign(name: symbol, value: unknown): void;
  registerFunction(name: string, implementation: (...args: never[]) => unknown, signature: string): void;
}

/** The worker's program. Each worker is made of an address of its own. */
export function workerText(bounds: Bounds): string {
  return [
    "const found = { exports: {} };",
    `(function (module, exports, define) {${jsonata}\n})(found, found.exports);`,
    `(${serve.toString()})(found.exports, ${JSON.stringify(bounds)});`,
  ].join("\n");
}
