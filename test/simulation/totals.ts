// What many trials come to, and how it is printed.

import type { Outcome } from "./trial.ts";

export class Totals {
  trials = 0;
  #simulatedMs = 0;
  #simulatedIn = 0;
  #judgedIn = 0;
  #rounds = 0;
  readonly #figures = new Map<string, number>();
  readonly #tables = new Map<string, Map<string, number>>();
  readonly #compared = new Map<string, number>();
  readonly #fromLiars = new Map<string, number>();
  readonly #kinds = new Map<string, number>();
  #slowest = 0;
  #followed = 0;
  #atLiars = 0;

  add({ figures, judgement, kinds, simulatedIn, judgedIn }: Outcome): void {
    this.trials += 1;
    this.#simulatedIn += simulatedIn;
    this.#judgedIn += judgedIn;
    this.#rounds = Math.max(this.#rounds, judgement.rounds);
    this.#followed += judgement.followed;
    this.#atLiars += judgement.atLiars;
    for (const [name, value] of Object.entries(figures)) {
      if (name === "simulatedMs") this.#simulatedMs += value as number;
      else if (name === "lastChangeMs") continue;
      else if (name === "quietAfterMs") this.#slowest = Math.max(this.#slowest, value as number);
      else if (typeof value === "number") increase(this.#figures, name, value);
      else if (typeof value === "object") increaseAll(this.#tables, name, value as Readonly<Record<string, number>>);
    }
    for (const [name, value] of Object.entries(judgement.compared)) increase(this.#compared, name, value);
    for (const [name, value] of Object.entries(judgement.fromLiars)) increase(this.#fromLiars, name, value);
    for (const [name, value] of Object.entries(kinds)) increase(this.#kinds, name, value);
  }

  summary() {
    const hours = this.#simulatedMs / 3_600_000;
    const kind = (name: string): number => this.#kinds.get(name) ?? 0;
    return {
      seeds: this.trials,
      simulatedHours: round(hours),
      cpuSeconds: round(this.#simulatedIn),
      simulatedHoursPerCpuSecond: round(hours / this.#simulatedIn),
      oracleCpuSeconds: round(this.#judgedIn),
      longestUntilQuietMs: this.#slowest,
      ...Object.fromEntries(this.#figures),
      ...Object.fromEntries([...this.#tables].map(([name, table]) => [name, Object.fromEntries(table)])),
      compared: Object.fromEntries(this.#compared),
      standingOfLiars: Object.fromEntries(this.#fromLiars),
      oracleRounds: this.#rounds,
      waysFollowed: this.#followed,
      ofThemToLiars: this.#atLiars,
      loops: kind("forwarding-loop"),
      blackHoles: kind("black-hole"),
      foreignNamesAccepted: kind("foreign-name"),
      violations: [...this.#kinds.values()].reduce((sum, value) => sum + value, 0),
      violationsByKind: Object.fromEntries(this.#kinds),
    };
  }
}

/** A line for each figure; of tables one with all of their entries. */
export function linesOf(summary: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(summary).map(([name, value]) => {
    const shown = typeof value === "object" && value !== null ? entries(value) : amount(value);
    return `${words(name).padEnd(30)} ${shown}`;
  });
}

function entries(table: object): string {
  const shown = Object.entries(table).map(([name, value]) => `${name} ${amount(value)}`);
  return shown.length === 0 ? "none" : shown.join(", ");
}

function amount(value: unknown): string {
  return typeof value === "number" ? value.toLocaleString("en") : String(value);
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

function increase(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function increaseAll(
  tables: Map<string, Map<string, number>>,
  name: string,
  values: Readonly<Record<string, number>>,
): void {
  const table = tables.get(name) ?? new Map<string, number>();
  tables.set(name, table);
  for (const [key, value] of Object.entries(values)) increase(table, key, value);
}
