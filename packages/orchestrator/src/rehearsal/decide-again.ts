// Decides one recorded message again with the rehearsed composition. Only the plugins' `decide` is called, and `target` of message definitions: no
// prepare, no effect, no start. Pure. Where something needed is not recorded, it answers `undecidable`.

import { type Fault, FaultError } from "../fault/fault.ts";
import { ENTRY_NUMBER } from "../message/definition.ts";
import { deepFreeze, type Envelope } from "../message/message.ts";
import { parse } from "../message/parse.ts";
import { type Decision, decide, KERNEL } from "../pipeline/decide.ts";
import { MOST_HOPS } from "../pipeline/follow-ups.ts";
import type { Composition, Route } from "../plugin/composition.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { StateView } from "../state/state.ts";
import type { InForce } from "./in-force.ts";
import { type Judged, judgementOf, kernelRefusal } from "./judgement.ts";
import type { RecordedMessage } from "./recorded-message.ts";
import { RehearsedBase } from "./rehearsed-base.ts";
import type { ReplayedRows } from "./replayed-rows.ts";
import type { RowOverride } from "./row-override.ts";

export type DecidedAgain = Judged | { readonly undecidable: string };

/** Refusals of the kernel on which no plugin has any influence. */
const STANDING: ReadonlySet<string> = new Set(["FOLLOWUPS_EXCEEDED", "MESSAGE_INTERNAL"]);
/** Refusals before the data was parsed: the recorded data is as it came. */
const UNTAKEN: ReadonlySet<string> = new Set(["MESSAGE_UNKNOWN", "MESSAGE_INVALID"]);
/** Refusals of the kernel that follow from the plugins' answers. */
const OF_THE_PIPELINE: ReadonlySet<string> = new Set(["UNAUTHORIZED", "HOPS_EXCEEDED"]);

export class Rehearsing {
  readonly #composition: Composition;
  readonly #overrides: ReadonlyMap<string, readonly RowOverride[]>;
  /** The plugin that is being asked. */
  #asked = "";

  constructor(composition: Composition, overrides: readonly RowOverride[]) {
    this.#composition = { ...composition, plugins: composition.plugins.map((plugin) => this.#watched(plugin)) };
    this.#overrides = Map.groupBy(overrides, ({ table }) => table);
  }

  decideAgain(recorded: RecordedMessage, replayed: ReplayedRows, inForce: InForce): DecidedAgain {
    const { name, envelope, judged, trace } = recorded;
    const { hops, internal } = envelope;
    // The kernel's own refusals come in the same place as in a running node.
    const refusal = judged.verdict === "refused" && judged.plugin === undefined ? (judged.code as string) : undefined;
    if (refusal !== undefined && STANDING.has(refusal)) return judged;
    const route = this.#composition.routes.get(name);
    if (route === undefined) return kernelRefusal("MESSAGE_UNKNOWN", `no plugin declares ${name}`);
    if (route.definition.internal && !internal) return kernelRefusal("MESSAGE_INTERNAL", `${name} is internal`);
    const untaken = refusal !== undefined && UNTAKEN.has(refusal);
    const known = route.definition.numbered ? numbered(envelope, recorded.entry) : envelope;
    const taken = untaken || !inForce.unchanged(route.plugin) ? takenIn(route, known, untaken) : known;
    if ("code" in taken) return kernelRefusal(taken.code, taken.message);
    if (hops > MOST_HOPS) return kernelRefusal("HOPS_EXCEEDED", `${name}: ${MOST_HOPS} causes deep`);

    const base = new RehearsedBase({
      replayed,
      overrides: this.#overrides,
      sessionRows: recorded.sessionRows,
      owns: (table) => this.#composition.ownerOf(table) !== undefined,
      readAsBefore: () => this.#isUnchanged(this.#asked, inForce) && inForce.reached(this.#asked, trace),
    });
    const uncertain = route.preparers.filter((plugin) => !inForce.unchanged(plugin));
    const asked = uncertain.length === 0 ? taken : { ...taken, facts: base.watched(taken.facts) };
    const until = refusal === undefined || untaken ? undefined : this.#until(refusal, recorded, route);
    if (until !== undefined) {
      const before = until.plugins === 0 ? undefined : this.#judge(asked, route, base, until.plugins);
      if (base.gap !== undefined) return { undecidable: base.gap };
      if (before !== undefined && before.verdict !== "done") return before;
      if (until.prepared && uncertain.length > 0) {
        return { undecidable: `preparing it failed (${refusal}), and "${uncertain[0]?.name}" prepares otherwise now` };
      }
      return judged;
    }
    const again = this.#judge(asked, route, base);
    return base.gap === undefined ? again : { undecidable: base.gap };
  }

  /**
   * How many plugins had passed a message before the kernel refused it; `undefined` where all of them decide it.
   * `prepared`: it was refused because preparing it failed.
   */
  #until(refusal: string, { envelope, trace }: RecordedMessage, { preparers, plugin }: Route) {
    const { plugins, authorityAt } = this.#composition;
    if (refusal === "KEY_REUSED") return { plugins: authorityAt + 1, prepared: false };
    // The plugins' rows were no JSON, or no plugin added an authority.
    if (trace.verdicts.length > 0 || OF_THE_PIPELINE.has(refusal)) return undefined;
    // In a rehearsal the kernel's plugin has no preparers: for messages of its own, its step, the last one, stands for them.
    const first = plugins.findIndex(({ name }) => name === (preparers[0] ?? plugin).name);
    if (preparers.length === 0 && plugin.name !== KERNEL) return undefined;
    return { plugins: envelope.internal || first <= authorityAt ? 0 : first, prepared: true };
  }

  #judge(envelope: Envelope, route: Route, base: RehearsedBase, upTo?: number): Judged {
    let bug: string | undefined;
    const report = (plugin: string, thrown: unknown): void => {
      bug ??= `"${plugin}": ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    };
    const options = upTo === undefined ? {} : { upTo };
    const decision = decide(this.#composition, envelope, route.definition, new StateView(base), report, options);
    const unfit = unrecordable(decision, route);
    if (unfit !== undefined) return kernelRefusal("INTERNAL", `${route.name}: ${unfit}`, decision.verdicts);
    const judged = judgementOf(decision);
    return judged.code === "INTERNAL" && bug !== undefined ? { ...judged, text: bug } : judged;
  }

  #isUnchanged(plugin: string, inForce: InForce): boolean {
    const asked = this.#composition.plugins.find(({ name }) => name === plugin);
    return asked !== undefined && inForce.unchanged(asked);
  }

  #watched(plugin: AnyPlugin): AnyPlugin {
    // Everything else is inherited: a plugin may be an instance of a class.
    return Object.create(plugin, {
      decide: {
        value: (context: Parameters<AnyPlugin["decide"]>[0]) => {
          this.#asked = plugin.name;
          return plugin.decide(context);
        },
      },
    }) as AnyPlugin;
  }
}

/** With the entry's number among its facts, also if the message was not `numbered` then. */
function numbered(envelope: Envelope, entry: number): Envelope {
  return { ...envelope, facts: Object.freeze({ ...envelope.facts, [ENTRY_NUMBER]: entry }) };
}

/**
 * The message as an edge would parse it now. The recorded data is what the former schema made of the caller's: its fields stay, and
 * defaults of the new schema are added.
 */
function takenIn(route: Route, envelope: Envelope, untaken: boolean): Envelope | Fault {
  const { message } = envelope;
  let data: unknown;
  try {
    data = parse(route.name, route.definition.data, message.data);
  } catch (thrown) {
    if (thrown instanceof FaultError) return thrown.toFault();
    throw thrown;
  }
  if (!untaken) data = deepFreeze({ ...(data as object), ...(message.data as object) });
  return { ...envelope, message: { ...message, data } };
}

/** Why the log could not record the decision, as a running node would find. */
function unrecordable(decision: Decision, { definition }: Route): string | undefined {
  if (decision.kind === "refused") return undefined;
  if (decision.kind === "held")
    return definition.kind === "command" ? undefined : `a ${definition.kind} cannot be held`;
  try {
    for (const { row } of decision.state.changes()) JSON.stringify(row);
    JSON.stringify([decision.data, decision.effects, decision.settles]);
    return undefined;
  } catch {
    return "what a plugin made of it is no JSON";
  }
}
