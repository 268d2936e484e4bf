// What a frame would make capnweb do, found before capnweb sees it: calls, map expansions, copies of earlier results.
// It walks exactly what capnweb 0.12's Evaluator walks and must not evaluate anything. The frame is parsed here, once,
// and the parsed message is what capnweb gets: what was judged and what is done cannot differ by a parser's quirk.

export type FrameType = "push" | "pull" | "release" | "resolve" | "reject" | "abort" | "invalid";

/** A `.map()`: what applying it to one element costs. Ids are those of the session's exports. */
export interface InspectedMap {
  readonly subject: number;
  /** Steps for one element; 64 literal values or 1,024 characters count as a step, since capnweb clones them each time. */
  instructions: number;
  /** References to the element or to the result of an earlier step: each copies it. */
  variableReferences: number;
  /** Exports that the mapper captured and copies for every element. */
  readonly captureReferences: number[];
  /** Values written out in the instructions, per element. */
  values: number;
  /** The longest list written out in the instructions: a map over this map's result may expand over it. */
  longest: number;
}

export interface InspectedFrame {
  readonly type: FrameType;
  /** The parsed frame, as capnweb wants it under the encoding level "jsonCompatible". */
  readonly message: unknown[];
  /** The export or import that a pull, release, resolve or reject names. */
  readonly id: number;
  /** Calls anywhere in the frame; a push of a property counts, since reading it may run a getter. */
  readonly calls: number;
  readonly maps: number;
  readonly mapInstructions: number;
  readonly mapNested: boolean;
  /** How many references a release gives back. */
  readonly released: number;
  /** Calls and maps inside of arguments: no capnweb peer sends these, and nobody could see them end. */
  readonly nested: number;
  /** Earlier results that evaluating the frame copies, once for each time that they are named. */
  readonly references: readonly number[];
  /** Callbacks and promises of the peer's own that the frame brings. */
  readonly callbacks: number;
  /** The map that the push is, if it is one. */
  readonly map: InspectedMap | undefined;
  /** Why the frame is not well-formed, or not for us. */
  readonly refused: string | undefined;
}

/** capnweb's own default `maxDepth`. */
const MAX_DEPTH = 256;
const VALUES_A_STEP = 64;
const CHARACTERS_A_STEP = 1024;
const NONE: readonly number[] = [];

export function inspectFrame(text: string): InspectedFrame {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return refusedFrame("the frame is not JSON");
  }
  return Array.isArray(message) ? inspectMessage(message) : refusedFrame("the frame is not a JSON array");
}

function inspectMessage(message: unknown[]): InspectedFrame {
  const [type, second, third] = message;
  switch (type) {
    case "push":
      return inspectPush(message);
    case "pull":
      return isId(second) ? plainFrame("pull", message, second, 0) : refusedFrame("a pull names no export");
    case "release":
      // A count of 0, of a half or below zero would make our books differ from capnweb's.
      return isId(second) && isId(third) && third > 0
        ? plainFrame("release", message, second, third)
        : refusedFrame("a release names no export or no whole number of references");
    case "resolve":
    case "reject":
      return isId(second) && message.length > 2
        ? new Walk().walk(third, 0).frame(type, message, second)
        : refusedFrame(`a ${type} names no import or brings no value`);
    case "abort":
      return new Walk().walk(second, 0).frame("abort", message, 0);
    case "stream":
    case "pipe":
      return refusedFrame(`Capstan takes no "${type}" frames; send bodies through the calls that are made for them`);
    default:
      return refusedFrame("the frame is of no type that RPC knows");
  }
}

function inspectPush(message: unknown[]): InspectedFrame {
  const expression = message[1];
  const walk = new Walk();
  // capnweb would take any value here. Only calls, properties and maps are ever sent by a peer, and a pushed literal that names
  // an earlier push twice, and so on, doubles with every frame: a billion copies from 1 kB, without a call or a map.
  if (!Array.isArray(expression)) return refusedFrame("a push is a call, a property or a map, and this is none");
  if (expression[0] === "pipeline") {
    walk.calls = 1;
    if (expression.length < 4) walk.refer(expression[1]);
    else walk.arguments(expression[3], 0);
  } else if (expression[0] === "remap") {
    walk.map = walk.remap(expression, 0);
  } else {
    return refusedFrame("a push is a call, a property or a map, and this is none");
  }
  return walk.frame("push", message, 0);
}

/** One pass over a frame's expressions. */
class Walk {
  calls = 0;
  maps = 0;
  mapInstructions = 0;
  mapNested = false;
  nested = 0;
  references: number[] | undefined;
  callbacks = 0;
  map: InspectedMap | undefined;
  refused: string | undefined;
  /** The map whose instructions are being walked. */
  #inside: InspectedMap | undefined;
  #captures: unknown[] | undefined;
  /** Variables of the map that hold a copy of something captured, by number, and which capture it is. */
  #captured: Map<number, number> | undefined;
  #characters = 0;

  walk(value: unknown, depth: number): this {
    const map = this.#inside;
    if (map) map.values++;
    if (typeof value !== "object" || value === null) {
      if (map && typeof value === "string") this.#characters += value.length;
      return this;
    }
    if (depth >= MAX_DEPTH) {
      this.refused = `the frame is more than ${MAX_DEPTH} levels deep`;
    } else if (!Array.isArray(value)) {
      // As capnweb: `__proto__`, `toJSON` and the like are evaluated too, and dropped only afterwards.
      for (const key in value) {
        if (map) this.#characters += key.length;
        this.walk((value as Record<string, unknown>)[key], depth + 1);
      }
    } else if (value.length === 1 && Array.isArray(value[0])) {
      this.#list(value[0], depth);
    } else {
      this.#special(value, depth);
    }
    return this;
  }

  arguments(list: unknown, depth: number): void {
    if (Array.isArray(list)) this.#list(list, depth);
    else this.refused = "a call's arguments are not a list";
  }

  #list(list: unknown[], depth: number): void {
    if (this.#inside && list.length > this.#inside.longest) this.#inside.longest = list.length;
    for (let i = 0; i < list.length; i++) this.walk(list[i], depth + 1);
  }

  #special(value: unknown[], depth: number): void {
    switch (value[0]) {
      case "pipeline":
      case "import":
        if (value.length < 4) {
          this.refer(value[1]);
        } else {
          this.calls++;
          this.nested++;
          if (this.#inside) this.#inside.instructions++;
          this.arguments(value[3], depth);
        }
        return;
      case "remap":
        this.nested++;
        this.remap(value, depth);
        return;
      case "error": {
        const fields = value[4];
        if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) this.walk(fields, depth);
        return;
      }
      case "export":
      case "promise":
        // The sender numbers its own exports -1, -2 and so on; any other number would collide with our imports.
        if (isId(value[1]) && value[1] < 0) this.callbacks++;
        else this.refused = `"${value[0]}" names no export of the sender's`;
        return;
      case "bytes":
        if (typeof value[1] === "string") this.#characters += value[1].length;
        return;
      case "bigint":
      case "date":
      case "undefined":
      case "inf":
      case "-inf":
      case "nan":
      case "url":
        return;
      case "readable":
      case "writable":
      case "blob":
      case "request":
      case "response":
      case "headers":
        this.refused = `Capstan takes no "${value[0]}" values; send the data itself`;
        return;
      default:
        this.refused = "the frame holds a special form that RPC does not know";
    }
  }

  /** A reference that copies what it names. */
  refer(id: unknown): void {
    if (!isId(id)) {
      this.refused = "a reference names no export";
    } else if (!this.#inside) {
      if (this.references) this.references.push(id);
      else this.references = [id];
    } else {
      const capture = this.#captureOf(id);
      if (capture === undefined) this.#inside.variableReferences++;
      else this.#inside.captureReferences.push(capture);
    }
  }

  /** In a mapper, 0 is the element, k what step k gave, and -k the k-th capture. */
  #captureOf(variable: number): number | undefined {
    if (variable >= 0) return this.#captured?.get(variable);
    const capture = this.#captures?.[-variable - 1];
    // What the peer exported is a stub of its own, as cheap to copy as our main object, which is export 0.
    return Array.isArray(capture) && capture[0] === "import" && isId(capture[1]) ? capture[1] : 0;
  }

  remap(value: unknown[], depth: number): InspectedMap | undefined {
    const [, subject, , captures, steps] = value;
    this.maps++;
    if (!isId(subject) || !Array.isArray(captures) || !Array.isArray(steps) || steps.length === 0) {
      this.refused = "a map lacks its subject, captures or instructions";
      return undefined;
    }
    if (this.#inside) {
      // A map in a map multiplies. It is refused; and counted all the same, so that the refusal is not the only defence.
      this.mapNested = true;
      this.#inside.instructions += steps.length;
      for (const step of steps) this.walk(step, depth + 1);
      return undefined;
    }
    for (const capture of captures) {
      if (Array.isArray(capture) && capture[0] === "import") this.refer(capture[1]);
      else this.callbacks++;
    }
    const map: InspectedMap = {
      subject,
      instructions: 0,
      variableReferences: 0,
      captureReferences: [],
      values: 0,
      longest: 0,
    };
    this.#inside = map;
    this.#captures = captures;
    this.#characters = 0;
    this.#captured = undefined;
    for (let i = 0; i < steps.length; i++) this.#step(steps[i], i + 1, i === steps.length - 1, depth + 1);
    map.instructions += Math.floor(map.values / VALUES_A_STEP) + Math.floor(this.#characters / CHARACTERS_A_STEP);
    this.mapInstructions += map.instructions;
    this.#inside = undefined;
    return map;
  }

  #step(step: unknown, number: number, last: boolean, depth: number): void {
    const map = this.#inside as InspectedMap;
    map.instructions++;
    const form = Array.isArray(step) ? step[0] : undefined;
    if (form === "pipeline" && (step as unknown[]).length >= 4) {
      this.calls++;
      this.arguments((step as unknown[])[3], depth);
    } else if (form === "pipeline") {
      const [, target] = step as unknown[];
      const capture = isId(target) ? this.#captureOf(target) : undefined;
      if (capture !== undefined) {
        this.#captured ??= new Map();
        this.#captured.set(number, capture);
      }
      this.refer(target);
    } else if (last || form === "remap") {
      this.walk(step, depth);
    } else {
      // As with a pushed literal: steps that name their predecessor twice double at each step.
      this.refused = "a map's steps before the last are calls and properties, and one of these is none";
    }
  }

  frame(type: FrameType, message: unknown[], id: number): InspectedFrame {
    return {
      type,
      message,
      id,
      calls: this.calls,
      maps: this.maps,
      mapInstructions: this.mapInstructions,
      mapNested: this.mapNested,
      released: 0,
      nested: this.nested,
      references: this.references ?? NONE,
      callbacks: this.callbacks,
      map: this.map,
      refused: this.refused,
    };
  }
}

function plainFrame(type: FrameType, message: unknown[], id: number, released: number): InspectedFrame {
  return {
    type,
    message,
    id,
    calls: 0,
    maps: 0,
    mapInstructions: 0,
    mapNested: false,
    released,
    nested: 0,
    references: NONE,
    callbacks: 0,
    map: undefined,
    refused: undefined,
  };
}

function refusedFrame(refused: string): InspectedFrame {
  return { ...plainFrame("invalid", [], 0, 0), refused };
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
