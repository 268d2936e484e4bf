// What is shown of a peer's sessions and is not known to the speaker: since when the state holds, whether both tables were exchanged, and why the last
// session ended.

export interface Course {
  /** Since when it is in its state, in milliseconds since the epoch. */
  readonly since: number;
  readonly reason?: string;
  readonly reasonAt?: number;
  /** Whether whole tables were exchanged in both directions. */
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
