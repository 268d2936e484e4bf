// What a rehearsal comes to: which messages would have been decided otherwise, which nobody can say it of, and the digest of
// the state, by which one sees that nothing was carried out.

import type { DecodedEntry } from "../log/entry.ts";
import type { Judgement } from "./judgement.ts";

interface Told {
  readonly entry: number;
  readonly id: string;
  readonly message: string;
  readonly principal: string;
}

/** A message that would be decided otherwise. */
export interface Difference extends Told {
  readonly was: Judgement;
  readonly now: Judgement;
}

/** A message of which nobody can say how it would be decided, and why. */
export interface Undecidable extends Told {
  readonly reason: string;
}

/** The report of a rehearsal. */
export interface Rehearsal {
  /** Recorded messages that were looked at: `compared` + `undecidable` + `skipped`. */
  readonly messages: number;
  /** `same` + `differ`. */
  readonly compared: number;
  readonly same: number;
  readonly differ: number;
  readonly undecidable: number;
  /** `pipeline.adopt`: the node's own record of which composition decides, which a rehearsal puts another in place of. */
  readonly skipped: number;
  readonly differences: readonly Difference[];
  readonly undecidables: readonly Undecidable[];
  /** How the plugins differ from those that decided last, and what limits the comparison; one line each. */
  readonly notes: readonly string[];
  /** Digests of the state (state-digest.ts): as the log has it, before and after, and as the entries lead to it. */
  readonly state: {
    readonly before: string;
    readonly after: string;
    /** None where entries that wrote to it are gone or erased. */
    readonly replayed: string | undefined;
    /** Whether all that there are of them are equal. */
    readonly same: boolean;
  };
  /** Numbers of the first and last entry that was looked at; `from` is past `to` where there was none. */
  readonly entries: { readonly from: number; readonly to: number };
}

/** Counts while a rehearsal runs. */
export class Tally {
  readonly differences: Difference[] = [];
  readonly undecidables: Undecidable[] = [];
  same = 0;
  skipped = 0;

  differs(entry: DecodedEntry, was: Judgement, now: Judgement): Difference {
    const difference = { ...told(entry), was, now };
    this.differences.push(difference);
    return difference;
  }

  undecidable(entry: DecodedEntry, reason: string): void {
    this.undecidables.push({ ...told(entry), reason });
  }

  get counts() {
    const { same, skipped, differences, undecidables } = this;
    const compared = same + differences.length;
    return {
      ...{ messages: compared + undecidables.length + skipped, compared, same, differ: differences.length },
      ...{ undecidable: undecidables.length, skipped, differences, undecidables },
    };
  }
}

function told({ seq, header: { id, message, principal } }: DecodedEntry): Told {
  return { entry: seq, id, message, principal };
}
