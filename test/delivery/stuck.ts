// A subscriber in a process of its own, for whoever stops that process: it then never reads another byte. Arguments: url, token.

import { openSession } from "./node-process.ts";
import { TOPIC } from "./subscriber.ts";

const [url = "", token = ""] = process.argv.slice(2);
const session = openSession({ url, token });
await session.scope.subscription.follow({ topic: TOPIC, callback: () => undefined });
process.on("disconnect", () => process.exit());
process.send?.("follows");
