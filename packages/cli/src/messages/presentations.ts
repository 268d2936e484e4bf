// Which messages have words of their own, by their resource: each is loaded with it. Whatever is not named here is generated from its
// schema alone, like every plugin's.

import type { Presentation } from "./presentation.ts";

/** By message: `action.register`. */
export type Presentations = Readonly<Record<string, Presentation | undefined>>;

const byResource: Readonly<Record<string, () => Promise<Presentations>>> = {
  action: async () => (await import("./action-presentations.ts")).actionPresentations,
  grant: async () => (await import("./grant-presentations.ts")).grantPresentations,
  principal: async () => (await import("./grant-presentations.ts")).grantPresentations,
  log: async () => ({
    ...(await import("./log-presentations.ts")).logPresentations,
    ...(await import("./retention-presentations.ts")).retentionPresentations,
  }),
  execution: async () => (await import("./execution-presentations.ts")).executionPresentations,
  deadLetter: async () => (await import("./dead-letter-presentations.ts")).deadLetterPresentations,
  message: async () => (await import("./message-presentations.ts")).messagePresentations,
  protocol: async () => (await import("./protocol-presentations.ts")).protocolPresentations,
  receiver: async () => (await import("./receiver-presentations.ts")).receiverPresentations,
  subscription: async () => (await import("./subscription-presentations.ts")).subscriptionPresentations,
  peer: async () => (await import("./peer-presentations.ts")).peerPresentations,
  route: async () => (await import("./route-presentations.ts")).routePresentations,
  // Peers ask for it.
  topic: async () => ({ "topic.read": { unlisted: true } }),
  witness: async () => (await import("./witness-presentations.ts")).witnessPresentations,
};

export const presentedResources: readonly string[] = Object.keys(byResource);

/** Of these resources; a server may list one that is called as anything is. */
export async function presentationsOf(resources: Iterable<string>): Promise<Presentations> {
  const known = [...new Set(resources)].filter((resource) => Object.hasOwn(byResource, resource));
  return Object.assign({}, ...(await Promise.all(known.map((resource) => byResource[resource]?.()))));
}
