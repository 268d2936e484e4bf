// What is behind a scope.

import type { Awaitable } from "../log/log.ts";
import type { ForwardedOptions } from "../message/message.ts";
import type { Route } from "../plugin/composition.ts";

/** Where a scope's calls go: bound to a principal and a grant by whoever made it. */
export interface Caller {
  /** The holder is another node, whose calls may carry `ForwardedOptions`. */
  readonly forwards?: boolean;
  call(route: Route, data: unknown, options: ForwardedOptions): Awaitable<unknown>;
  /** The scope was released. */
  dispose?(): void;
}
