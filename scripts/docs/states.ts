// docs/peering-states.md: what a session does with every input in every state, by running it. Run it (`npm run docs`) to
// write the page; a test in packages/peer fails while page and state machine differ.

import { join } from "node:path";

/** As packages/peer/src/session/cells.fixture.ts has it. */
export interface Cell {
  readonly state: string;
  readonly situation: string;
  readonly input: string;
  readonly when: string;
  readonly next: string;
  readonly does: string;
  readonly reason: string;
}

interface Row {
  readonly inputs: string[];
  readonly when: string;
  readonly next: string;
  readonly does: string;
  readonly reason: string;
}

const ROOT = join(import.meta.dir, "..", "..");
export const STATES_PAGE = join(ROOT, "docs", "peering-states.md");

export async function stateCells(): Promise<{ cells: readonly Cell[]; names: Readonly<Record<string, string>> }> {
  const { cells, STATE_NAMES } = await import(join(ROOT, "packages/peer/src/session/cells.fixture.ts"));
  return { cells: cells(), names: STATE_NAMES };
}

/** The page's text. `names`: the states' in RFC 4271, in order. */
export function statesPage(cells: readonly Cell[], names: Readonly<Record<string, string>>): string {
  const head = [
    "# States of a peering session",
    "",
    "<!-- Written by `npm run docs` from the state machine itself; a test keeps both equal. -->",
    "",
    "RFC 4271 §8's state machine as it is here: [packages/peer/src/session](../packages/peer/src/session) has a file a state,",
    "and each line below is what `step` answers. *when* is empty where it does not matter. *next* is the state with the timers",
    "that run in it, and empty where nothing changes. *why* is the step's reason; with a slash in it, it is the",
    "notification's code and subcode. Routes are kept only where both sides can restart gracefully (RFC 4724, RFC 8538).",
    "Whoever dials goes Idle → Connect → OpenSent → OpenConfirm → Established, whoever was dialled Active → OpenConfirm →",
    "Established, and proves second. The idle-hold timer is a dialler's alone: an acceptor's session is over in Idle.",
  ];
  return `${[...head, ...Object.keys(names).flatMap((state) => section(state, names[state] as string, cells))].join("\n")}\n`;
}

function section(state: string, name: string, cells: readonly Cell[]): string[] {
  const lines = rows(withoutEnds(cells.filter((cell) => cell.state === state))).map(
    ({ inputs, when, next, does, reason }) =>
      `| ${inputs.map((input) => `\`${input}\``).join(", ")} | ${[when, next, does, reason].join(" | ")} |`.replaceAll(
        "  ",
        " ",
      ),
  );
  return ["", `## ${name}`, "", "| input | when | next | does | why |", "| --- | --- | --- | --- | --- |", ...lines];
}

/** An acceptor's session is over where a dialler's starts again; the head says so once, instead of every other row. */
function withoutEnds(cells: readonly Cell[]): Cell[] {
  return cells.map((cell) => {
    if (cell.situation !== "acceptor" || cell.next !== "Idle") return cell;
    const dialler = cells.find(
      ({ input, when, situation }) => input === cell.input && when === cell.when && situation === "dialler",
    );
    return dialler?.does === cell.does ? { ...cell, next: dialler.next } : cell;
  });
}

/** Cells with the same outcome in one row, as far as one condition says when. */
function rows(cells: readonly Cell[]): Row[] {
  const found: Row[] = [];
  for (const [input, all] of Map.groupBy(cells, (cell) => cell.input)) {
    for (const same of Map.groupBy(all, outcome).values()) {
      for (const when of conditions(same, all)) {
        const { next, does, reason } = same[0] as Cell;
        const row = found.find((one) => one.when === when && outcome(one) === outcome(same[0] as Cell));
        if (row === undefined) found.push({ inputs: [input], when, next, does, reason });
        else row.inputs.push(input);
      }
    }
  }
  return found;
}

function outcome({ next, does, reason }: Pick<Cell, "next" | "does" | "reason">): string {
  return JSON.stringify([next, does, reason]);
}

/** When it is one of `some` of `all`; several where one condition cannot say it. */
function conditions(some: readonly Cell[], all: readonly Cell[]): string[] {
  const bySituation = Map.groupBy(some, (cell) => cell.situation);
  const byWhens = Map.groupBy(bySituation, ([, cells]) => JSON.stringify(cells.map(({ when }) => when)));
  return [...byWhens.values()].map((group) => {
    const situations = group.map(([situation]) => situation);
    const whens = (group[0]?.[1] ?? []).map(({ when }) => when);
    const among = all.filter(({ situation }) => situations.includes(situation));
    return [of(situations, all, "situation"), of(whens, among, "when")].filter((part) => part !== "").join("; ");
  });
}

function of(values: readonly string[], all: readonly Cell[], key: "situation" | "when"): string {
  const every = new Set(all.map((cell) => cell[key]));
  if (values.length === every.size) return "";
  const others = [...every].filter((value) => !values.includes(value));
  return others.length === 1 && others[0] === "out of order" ? "in order" : values.join(", or ");
}

if (import.meta.main) {
  const { cells, names } = await stateCells();
  await Bun.write(STATES_PAGE, statesPage(cells, names));
  console.log(`docs/peering-states.md: ${cells.length} cells`);
}
