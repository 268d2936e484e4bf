// One decision: the plugins run in order over an envelope and a state, and what they answer becomes one value. Pure: no
// I/O, no clock, no randomness, nothing applied. pipeline/committer.ts makes it true.

import { type Fault, fault } from "../fault/fault.ts";
import { type MessageDefinition, NONCE } from "../message/definition.ts";
import { type Envelope, messageName } from "../message/message.ts";
import type { Step } from "../observability/tracer.ts";
import type { Composition } from "../plugin/composition.ts";
import type { AnyPlugin, PluginContext } from "../plugin/plugin.ts";
import {
  type Effect,
  type FollowUp,
  type Hold,
  type LogWork,
  NEXT,
  type PassedResult,
  type PluginResult,
  type Settled,
} from "../plugin/result.ts";
import { type Authority, authority, type Token } from "../plugin/token.ts";
import { StateView } from "../state/state.ts";

/** What one plugin said, where it said something: `next` without a word is not traced. */
export interface Verdict {
  readonly plugin: string;
  readonly kind: PluginResult<readonly Token[]>["kind"];
  readonly clause?: string | undefined;
  /** How many rows it wrote. */
  readonly wrote?: number | undefined;
  /** The topic that the message's data is published under. */
  readonly publishes?: string | undefined;
}

export interface OwedBy {
  readonly plugin: string;
  readonly effect: Effect;
}

interface Common {
  readonly verdicts: readonly Verdict[];
}

export interface Passed extends Common {
  readonly kind: "done";
  readonly authority: Authority;
  readonly state: StateView;
  readonly data: unknown;
  readonly pending: boolean;
  readonly effects: readonly OwedBy[];
  readonly then: readonly FollowUp[];
  readonly settles: readonly Settled[];
  readonly cancels: readonly string[];
  readonly log: LogWork | undefined;
  /** A copy of its request that comes by another path joins it (`PassedResult.once`). */
  readonly once: boolean;
}

export interface Refused extends Common {
  readonly kind: "refused";
  readonly error: Fault;
}

export interface Held extends Common {
  readonly kind: "held";
  readonly plugin: string;
  readonly hold: Hold;
}

export type Decision = Passed | Refused | Held;

const NONE: readonly never[] = Object.freeze([]);
/** The one plugin that is always there, and the only one of that name (composition.ts). */
export const KERNEL = "kernel";

export interface DecideOptions {
  /** How many of the plugins decide. Default: all. */
  readonly upTo?: number;
  /** Called with each plugin's answer, for traces. */
  readonly step?: Step | undefined;
  /** It is only asked whether the message is allowed (`PluginContext.asking`). */
  readonly asking?: boolean;
  /** Makes the message's nonce; without it the recorded one is used (`PluginContext.nonce`). */
  readonly draw?: (() => string) | undefined;
}

const BY_ALL: DecideOptions = Object.freeze({});

/**
 * Decides `envelope` on `before`. A plugin that throws or breaks its contract is a bug: refused as INTERNAL.
 * @param report called for each such bug
 */
export function decide(
  composition: Composition,
  envelope: Envelope,
  definition: MessageDefinition,
  before: StateView,
  report: (plugin: string, thrown: unknown) => void,
  { upTo = composition.plugins.length, step, asking = false, draw }: DecideOptions = BY_ALL,
): Decision {
  const { message } = envelope;
  let needs = composition.given;
  const verdicts: Verdict[] = [];
  let state = before;
  let data: unknown;
  let pending = false;
  let effects: readonly OwedBy[] = NONE;
  let then: readonly FollowUp[] = NONE;
  let settles: readonly Settled[] = NONE;
  let cancels: readonly string[] = NONE;
  let log: LogWork | undefined;
  let once = false;

  for (let i = 0; i < upTo; i++) {
    const plugin = composition.plugins[i] as AnyPlugin;
    const adding = composition.adding[i] as readonly string[];
    const context = new Context(message, envelope, definition, asking, state, before, needs, draw);
    let result: PluginResult<readonly Token[]>;
    try {
      result = plugin.decide(context);
    } catch (thrown) {
      report(plugin.name, thrown);
      if (onlyNotes(plugin, adding, envelope)) continue;
      return bug(plugin, envelope, verdicts);
    }
    if ((result?.kind === "refused" || result?.kind === "hold") && onlyNotes(plugin, adding, envelope)) {
      report(
        plugin.name,
        new Error(`"${plugin.name}" would stop ${messageName(message)}, which has happened: ignored`),
      );
      continue;
    }
    step?.(plugin.name, String(result?.kind));
    switch (result?.kind) {
      case "refused":
        verdicts.push(verdict(plugin, result, undefined));
        return { kind: "refused", error: { ...result.error, id: envelope.id }, verdicts };
      case "hold":
        if (needs[authority.name] === undefined) return unauthorized(plugin, envelope, verdicts);
        verdicts.push(verdict(plugin, result, undefined));
        return { kind: "held", plugin: plugin.name, hold: result.hold, verdicts };
      case "next":
      case "done": {
        if (result === NEXT && adding.length === 0) continue;
        const broken = breach(composition, plugin, adding, result, state, needs);
        if (broken === "unauthorized") return unauthorized(plugin, envelope, verdicts);
        if (broken !== undefined) {
          report(plugin.name, new Error(broken));
          if (onlyNotes(plugin, adding, envelope)) continue;
          return bug(plugin, envelope, verdicts);
        }
        if (result.adds !== undefined) needs = Object.freeze({ ...needs, ...result.adds });
        const wrote = result.state === undefined ? 0 : (result.state as StateView).depth - state.depth;
        if (wrote > 0) state = result.state as StateView;
        if (result.data !== undefined) data = result.data;
        if (result.pending) pending = true;
        if (result.effects !== undefined) {
          effects = owedAlso(effects, plugin.name, result.effects);
        }
        if (result.then !== undefined) then = [...then, ...result.then];
        if (result.settles !== undefined) settles = [...settles, ...result.settles];
        if (result.cancels !== undefined) cancels = [...cancels, ...result.cancels];
        if (result.log !== undefined) log = result.log;
        if (result.once) once = true;
        if (wrote > 0 || result.clause !== undefined || result.publishes !== undefined || result.kind === "done") {
          verdicts.push(verdict(plugin, result, wrote));
        }
        break;
      }
      default:
        result satisfies never;
        // A promise, for example: an answer that is not understood must not pass.
        report(plugin.name, new Error(`"${plugin.name}" answered nothing that next, done, hold or refuse make`));
        if (onlyNotes(plugin, adding, envelope)) continue;
        return bug(plugin, envelope, verdicts);
    }
    if (result.kind === "done") break;
  }
  if (needs[authority.name] === undefined) {
    return refused(envelope, verdicts, "UNAUTHORIZED", `${messageName(message)}: no plugin established an authority`);
  }
  return {
    kind: "done",
    verdicts,
    authority: needs[authority.name] as Authority,
    state,
    data,
    pending,
    effects,
    then,
    settles,
    cancels,
    log,
    once,
  };
}

// The functions below are outside of the loop above: closures in it would make JavaScriptCore allocate a scope at each turn.

function owedAlso(before: readonly OwedBy[], plugin: string, effects: readonly Effect[]): readonly OwedBy[] {
  return [...before, ...effects.map((effect) => ({ plugin, effect }))];
}

function declares({ adds }: AnyPlugin, token: string): boolean {
  return adds?.some(({ name }) => name === token) === true;
}

/** The nonce that was recorded with a message that is decided again; zeros where no plugin read one then. */
function drawnFor({ facts }: Envelope): string {
  return (facts[NONCE] as string | undefined) ?? NOTHING_DRAWN;
}

const NOTHING_DRAWN = Buffer.alloc(16).toString("base64url");

/** Each plugin gets a context of its own over frozen values, so that changing it affects no other plugin. */
class Context implements PluginContext<readonly Token[]> {
  readonly #state: StateView;
  readonly #before: StateView;
  readonly #draw: (() => string) | undefined;

  constructor(
    readonly message: Envelope["message"],
    readonly envelope: Envelope,
    readonly definition: MessageDefinition,
    readonly asking: boolean,
    state: StateView,
    before: StateView,
    readonly needs: Readonly<Record<string, unknown>>,
    draw: (() => string) | undefined,
  ) {
    this.#state = state;
    this.#before = before;
    this.#draw = draw;
  }

  get nonce(): string {
    return this.#draw === undefined ? drawnFor(this.envelope) : this.#draw();
  }

  get state(): StateView {
    return this.#state;
  }

  get before(): StateView {
    return this.#before;
  }

  get changes() {
    return this.#state.changes(this.#before);
  }
}

/**
 * Whether the plugin may only note the message. An internal message says what has happened, so that only the plugin that declares it
 * may refuse, hold or fail it. Plugins that add a token still must add it.
 */
function onlyNotes(plugin: AnyPlugin, adding: readonly string[], { internal, message }: Envelope): boolean {
  return internal && adding.length === 0 && plugin.messages?.[message.resource]?.[message.action] === undefined;
}

/** How a `next` or `done` breaks the contract; `undefined` where it does not. */
function breach(
  composition: Composition,
  plugin: AnyPlugin,
  adding: readonly string[],
  result: PassedResult<readonly Token[]>,
  state: StateView,
  needs: Readonly<Record<string, unknown>>,
): string | undefined {
  for (let i = 0; i < adding.length; i++) {
    const name = adding[i] as string;
    if (result.adds?.[name] === undefined && result.kind === "next")
      return `"${plugin.name}" said next without adding "${name}"`;
  }
  for (const name in result.adds) {
    if (!adding.includes(name) && !declares(plugin, name))
      return `"${plugin.name}" added "${name}", which it does not declare`;
  }
  if (result.log !== undefined && plugin.name !== KERNEL) return `"${plugin.name}" would alter the log itself`;
  const authorized = needs[authority.name] !== undefined || result.adds?.[authority.name] !== undefined;
  const next = result.state as StateView | undefined;
  const acts = next ?? result.effects ?? result.then ?? result.settles ?? result.cancels ?? result.pending;
  if (!authorized && (result.kind === "done" || acts !== undefined)) return "unauthorized";
  if (next === undefined) return undefined;
  if (!(next instanceof StateView) || !next.descendsFrom(state))
    return `"${plugin.name}" answered a state that was not made from the one it was given`;
  for (const { table } of next.changes(state)) {
    if (composition.ownerOf(table.name) !== plugin.name)
      return `"${plugin.name}" wrote to "${table.name}", which is not its own`;
  }
  return undefined;
}

function verdict(
  plugin: AnyPlugin,
  result: Pick<Verdict, "kind" | "clause" | "publishes">,
  wrote: number | undefined,
): Verdict {
  // What is undefined is not recorded.
  const { kind, clause, publishes } = result;
  return { plugin: plugin.name, kind, clause, wrote: wrote || undefined, publishes };
}

function refused(envelope: Envelope, verdicts: readonly Verdict[], code: string, text: string): Refused {
  return { kind: "refused", error: fault(code, text, undefined, envelope.id), verdicts };
}

function unauthorized(plugin: AnyPlugin, envelope: Envelope, verdicts: readonly Verdict[]): Refused {
  const text = `${messageName(envelope.message)}: "${plugin.name}" would act before an authority was established`;
  return refused(envelope, [...verdicts, { plugin: plugin.name, kind: "refused" }], "UNAUTHORIZED", text);
}

function bug(plugin: AnyPlugin, envelope: Envelope, verdicts: readonly Verdict[]): Refused {
  const text = `${messageName(envelope.message)}: plugin "${plugin.name}" failed; nothing was done`;
  return refused(envelope, [...verdicts, { plugin: plugin.name, kind: "refused" }], "INTERNAL", text);
}
