// Which messages have words of their own. Whatever is not named here is generated from its schema alone, like every plugin's.

import { actionPresentations } from "./action-presentations.ts";
import { deadLetterPresentations } from "./dead-letter-presentations.ts";
import { executionPresentations } from "./execution-presentations.ts";
import { grantPresentations } from "./grant-presentations.ts";
import { logPresentations } from "./log-presentations.ts";
import { messagePresentations } from "./message-presentations.ts";
import { peerPresentations } from "./peer-presentations.ts";
import type { Presentation } from "./presentation.ts";
import { protocolPresentations } from "./protocol-presentations.ts";
import { receiverPresentations } from "./receiver-presentations.ts";
import { retentionPresentations } from "./retention-presentations.ts";
import { routePresentations } from "./route-presentations.ts";
import { subscriptionPresentations } from "./subscription-presentations.ts";
import { witnessPresentations } from "./witness-presentations.ts";

export const presentations: Readonly<Record<string, Presentation | undefined>> = {
  ...actionPresentations,
  ...grantPresentations,
  ...logPresentations,
  ...executionPresentations,
  ...deadLetterPresentations,
  ...messagePresentations,
  ...retentionPresentations,
  ...protocolPresentations,
  ...receiverPresentations,
  ...subscriptionPresentations,
  ...peerPresentations,
  ...routePresentations,
  ...witnessPresentations,
};
