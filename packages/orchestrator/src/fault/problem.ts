// A fault as HTTP's callers get it: a problem document (RFC 9457). rest/problem.ts makes them.

/** A problem document (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly details?: unknown;
  readonly id?: string;
}
