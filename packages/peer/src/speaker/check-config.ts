// Checks the configuration of a speaker and of its peers before it is used. One that peers would refuse, or under which timers would
// fire without end, throws at once, and nothing has changed.

import { z } from "zod";
import { LEAVES, open, UPDATE_ENTRIES } from "../wire/message.ts";
import { bytes32, identifier } from "../wire/names.ts";
import { tellIssue } from "../wire/tell-issue.ts";
import type { PeerConfig, SpeakerConfig } from "./speaker-config.ts";

const { node, name, domain, key, epoch, holdTime } = open.shape;
const some = z.number().min(1);
const none = z.number().min(0);

const speaker = z.object({
  ...{ node, name, domain, key, epoch },
  chunkSize: z.int().min(1).max(LEAVES),
  updateRoutes: z.int().min(1).max(UPDATE_ENTRIES),
  timing: z.object({
    holdTime: none.max((holdTime.maxValue ?? 0) * 1_000),
    minHoldTime: none,
    // Above zero: no retry without a pause.
    connectTime: some,
    openTime: some,
    backoff: z.object({ first: some, last: some }),
    /** RFC 4724 §3: twelve bits of seconds. */
    restartTime: none.max(4_095_000),
    deferral: none,
    advertisementInterval: none,
    tolerance: none,
    lifetime: some,
    maxLifetime: some,
    epochGrace: none,
  }),
});

const peer = z.object({
  node: identifier,
  /** The current key, and the next one during a rotation. Secrets are checked by proof/. */
  keys: z.array(bytes32).min(1).max(2),
  domain: identifier.optional(),
  required: z.array(identifier),
});

export function checkSpeaker(config: SpeakerConfig): void {
  check("this node", speaker, config);
}

export function checkPeer(config: PeerConfig, self: SpeakerConfig["node"]): void {
  check(`the peer ${config.node}`, peer, config);
  if (config.node === self) throw new Error(`${self} is this node's own id: it cannot be its own peer`);
}

function check(what: string, schema: z.ZodType, value: unknown): void {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new Error(`${what} cannot be configured like this: ${tellIssue(parsed.error)}`);
}
