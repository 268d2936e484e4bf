// Chapter: an agent with a grant for one action asks for more, is refused, and anyone can see why.

import { credentialDigest } from "@capstan/plugins";
import { z } from "zod";
import { answer, explain, refusal, told } from "../answers.ts";
import { deliveries } from "../payloads.ts";
import { inOneBatch } from "../scope.ts";
import { admin, type Stage } from "./chapter.ts";

const CLAUSE = "action.perform:classify";
const described = z.object({ revision: z.number() });

export async function narrowGrant(stage: Stage): Promise<void> {
  const { story } = stage;
  const caller = admin(stage);
  // The credential is made here; the server only ever sees its digest in a message.
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const credential = credentialDigest(token);
  await inOneBatch(caller, ({ grant }) => grant.create({ principal: "mailer", allow: [CLAUSE], credential }));
  const agent = { url: caller.url, token };

  const classified = await inOneBatch(agent, ({ action }) =>
    answer(action.perform({ name: "classify", input: deliveries[0] })),
  );
  story.claim(`mailer, who is granted ${CLAUSE}, classifies`, classified.output !== undefined);

  const fault = await refusal(inOneBatch(agent, ({ action }) => action.remove({ name: "classify" })));
  story.claim("and is refused action.remove", fault?.code === "REFUSED", { figure: fault?.code ?? "", found: fault });
  const why = await explain(caller, fault?.id);
  story.say(told(why));
  const [auth, ...rest] = why.plugins;
  story.claim(
    "the explanation names the clause that decided",
    auth?.plugin === "auth" && auth.verdict === "refused" && auth.clause === 'clause 1: verb "remove" is not "perform"',
    { found: why.plugins },
  );
  story.claim(
    "no plugin behind auth was asked, and no row was written",
    rest.length >= 4 && rest.every(({ verdict }) => verdict === "not reached") && why.rows.length === 0,
    { found: why.plugins },
  );
  const still = described.parse(await inOneBatch(caller, ({ action }) => action.describe({ name: "classify" })));
  story.claim("classify is still there", still.revision === 1, { found: still });
}
