// The real input: GitHub's own examples of everything that its webhooks send, as the npm package @octokit/webhooks-examples
// has them.

import webhooks from "@octokit/webhooks-examples/api.github.com/index.json";

export interface Delivery {
  /** `issues` */
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export const deliveries: readonly Delivery[] = webhooks.flatMap(({ name, examples }) =>
  examples.map((payload) => ({ event: name, payload: payload as Delivery["payload"] })),
);

export const eventNames: readonly string[] = webhooks.map(({ name }) => name);

/** How many go into one HTTP batch. */
const BATCH = 47;

/** The numbers of the deliveries, a batch each. */
export function batches(): readonly (readonly number[])[] {
  const numbers = [...deliveries.keys()];
  return Array.from({ length: Math.ceil(numbers.length / BATCH) }, (_, i) => numbers.slice(i * BATCH, (i + 1) * BATCH));
}
