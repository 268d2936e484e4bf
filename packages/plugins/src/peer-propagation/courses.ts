// What is known of the sessions with a peer beside what its speaker says, by the peer's name: since when, whether whole tables went,
// and why the last one ended.

export interface Course {
  /** Milliseconds since the epoch: since when it is in its state. */
  readonly since: number;
  readonly reason?: string;
  readonly reasonAt?: number;
  /** Whole tables went in both directions. */
  readonly heard: boolean;
  readonly told: boolean;
}

const UNKNOWN: Course = { since: 0, heard: false, told: false };

export class Courses {
  readonly #courses = new Map<string, Course>();

  get(name: string): Course {
    return this.#courses.get(name) ?? UNKNOWN;
  }

  note(name: string, change: Partial<Course>): void {
    this.#courses.set(name, { ...this.get(name), ...change });
  }

  forget(name: string): void {
    this.#courses.delete(name);
  }
}
