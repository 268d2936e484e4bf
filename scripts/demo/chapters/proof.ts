// Chapter: a stranger checks what happened, with a receipt, a verifier key and no server; and the operator sees what a
// narrower grant would have changed, without anything being carried out.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { logLength } from "../answers.ts";
import { capstan } from "../capstan.ts";
import { figure } from "../story.ts";
import { admin, type Stage } from "./chapter.ts";

const receiptOf = z.object({ header: z.string() });
const rehearsed = z.object({
  compared: z.number(),
  differ: z.number(),
  differences: z.array(z.object({ principal: z.string(), now: z.object({ clause: z.string().optional() }) })),
  state: z.object({ before: z.string(), after: z.string(), replayed: z.string().optional() }),
});
/** What the agent of the chapter before last was granted, and what it is taken to have been granted instead. */
const GRANT = "g-2";
const INSTEAD = "action.list";

export async function proof(stage: Stage): Promise<void> {
  await receipt(stage);
  await rehearsal(stage);
}

async function receipt({ story, workspace }: Stage): Promise<void> {
  const given = await capstan(workspace.directory, "log", "receipt", "2", "--out", "receipt.json");
  // All that the stranger has: two files, in a directory where no node ever was.
  const elsewhere = join(workspace.directory, "stranger");
  mkdirSync(elsewhere);
  copyFileSync(join(workspace.directory, "receipt.json"), join(elsewhere, "receipt.json"));
  copyFileSync(join(workspace.directory, ".capstan", "node.pub"), join(elsewhere, "node.pub"));
  const verify = (file: string) => capstan(elsewhere, "receipt", "verify", file, "--key", "node.pub");

  const verified = await verify("receipt.json");
  story.say(verified.stdout.split("\n", 2).join("\n"));
  story.claim("a receipt of an entry verifies with the node's public key alone", given.code + verified.code === 0, {
    found: given.stderr + verified.stderr,
  });

  const text = readFileSync(join(elsewhere, "receipt.json"), "utf8");
  const { header } = receiptOf.parse(JSON.parse(text));
  const forged = text.replace(JSON.stringify(header), JSON.stringify(header.replace("admin", "nobody")));
  writeFileSync(join(elsewhere, "forged.json"), forged);
  const refused = await verify("forged.json");
  story.say(refused.stderr.trim());
  story.claim("one that names another principal does not", forged !== text && refused.code !== 0, {
    found: refused.stdout,
  });
}

async function rehearsal(stage: Stage): Promise<void> {
  const { story, workspace } = stage;
  const before = await logLength(admin(stage));
  const lines = workspace.outbox.length;
  const { stdout, stderr } = await capstan(
    workspace.directory,
    ...["rehearse", "--grant", GRANT, "--allow", INSTEAD, "--last", "10000", "--json"],
  );
  const result = rehearsed.safeParse(jsonOf(stdout));
  story.claim("the history is decided again as if the agent had been granted less", result.success, {
    figure: result.success ? `${figure(result.data.compared)} messages` : "",
    found: stdout.slice(0, 200) + stderr,
  });
  if (!result.success) return;
  const { differ, differences, state } = result.data;
  const [first] = differences;
  story.say(`${GRANT} with ${INSTEAD} alone: ${first?.now.clause ?? ""}`);
  story.claim(
    "what differs is what the agent did, and says by which clause",
    differ === 2 && differences.every(({ principal }) => principal === "mailer"),
    {
      figure: `${differ} differ`,
      found: differences,
    },
  );
  story.claim(
    "nothing was carried out: the state's hash, the log and the outbox are the same",
    state.before === state.after && (await logLength(admin(stage))) === before && workspace.outbox.length === lines,
    {
      figure: state.after.slice(0, 15),
      found: state,
    },
  );
}

/** Of a stopped server: its log verifies, and with one byte flipped it does not. */
export async function oneByte({ story, workspace }: Pick<Stage, "story" | "workspace">): Promise<void> {
  const verify = (file: string) =>
    capstan(
      workspace.directory,
      "log",
      "verify",
      file,
      "--checkpoint",
      ".capstan/log.db.checkpoint",
      "--key",
      ".capstan/node.pub",
    );
  const whole = await verify(".capstan/log.db");
  story.say(whole.stdout.trim());
  story.claim("the log verifies, offline, against its checkpoint", whole.code === 0, {
    found: whole.stdout + whole.stderr,
  });

  const bytes = readFileSync(join(workspace.directory, ".capstan", "log.db"));
  const at = bytes.indexOf('"principal":"mailer"') + '"principal":"m'.length;
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(join(workspace.directory, "flipped.db"), bytes);
  const damaged = await verify("flipped.db");
  story.say(damaged.stdout.trim().split("\n", 3).join("\n"));
  story.claim("one bit of one byte flipped: found, and named", at > 20 && damaged.code !== 0, {
    figure: `byte ${figure(at)} of ${figure(bytes.length)}`,
    found: damaged.stdout + damaged.stderr,
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
