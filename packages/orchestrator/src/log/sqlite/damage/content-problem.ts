// The problems that a check of a log's content can report, and their texts.

export type ContentProblem =
  | { readonly kind: "entries"; readonly first: number; readonly last: number; readonly why: string }
  | { readonly kind: "row"; readonly table: string; readonly key: string; readonly why: string }
  | { readonly kind: "table"; readonly table: string; readonly why: string }
  | { readonly kind: "tile"; readonly level: number; readonly index: number; readonly why: string }
  | { readonly kind: "blob"; readonly name: string; readonly why: string }
  | { readonly kind: "value"; readonly name: string; readonly why: string }
  /** SQLite itself failed to read. */
  | { readonly kind: "storage"; readonly what: string; readonly why: string };

/** One line, such as `entries 880 to 912: the checksum does not fit`. */
export function problemText(problem: ContentProblem): string {
  return `${subject(problem)}: ${problem.why}`;
}

function subject(problem: ContentProblem): string {
  switch (problem.kind) {
    case "entries":
      return problem.first === problem.last ? `entry ${problem.first}` : `entries ${problem.first} to ${problem.last}`;
    case "row":
      return `the row ${problem.table} ${JSON.stringify(problem.key)}`;
    case "table":
      return `the table ${problem.table}`;
    case "tile":
      return `tile ${problem.index} of level ${problem.level} of the tree`;
    case "blob":
      return `the blob ${problem.name}`;
    case "value":
      return `the value "${problem.name}"`;
    case "storage":
      return problem.what;
    default:
      return problem satisfies never;
  }
}

export const UNFIT = "the checksum does not fit";

export type Add = (problem: ContentProblem) => void;
