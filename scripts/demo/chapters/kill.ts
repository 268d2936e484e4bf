// Chapter: the server is killed in the middle of a load. The client keeps a ledger of its own of what it was answered, and
// holds the next server on the same directory to it.

import { remoteFault } from "@capstan/orchestrator/client";
import { answer, entriesOf, logLength, type Performed } from "../answers.ts";
import { openSession, type Scope } from "../scope.ts";
import { ServerProcess } from "../server-process.ts";
import { figure, of } from "../story.ts";
import { admin, type Stage } from "./chapter.ts";

const SESSIONS = 4;
const IN_FLIGHT_EACH = 32;
/** The answers at which a server is killed. Every session is in full flight then. */
const KILLS = [400, 800, 1200];
/** What this allows a slow machine; a second is the usual. */
const READY_WITHIN_MS = 5000;

/** What was asked under which key, and what was answered. */
class Ledger {
  readonly answered = new Map<string, Performed>();
  readonly unanswered = new Set<string>();
  #asked = 0;

  next(): string {
    const key = `${KEY}${this.#asked++}`;
    this.unanswered.add(key);
    return key;
  }

  answer(key: string, performed: Performed): void {
    this.unanswered.delete(key);
    this.answered.set(key, performed);
  }

  get asked(): number {
    return this.#asked;
  }
}

export async function kill(stage: Stage, classifications: readonly unknown[]): Promise<void> {
  const { story, workspace } = stage;
  const before = await logLength(admin(stage));
  const ledger = new Ledger();
  /** Routes the classification that the key stands for: the same key always asks the same. */
  const perform: Perform = ({ action }, key) => {
    const input = classifications[Number(key.slice(KEY.length)) % classifications.length];
    return answer(action.perform({ name: "route", input }, { key }));
  };

  let slowest = 0;
  for (const answers of KILLS) {
    await loadUntilKilled(stage, ledger, perform, answers);
    stage.server = await ServerProcess.start(workspace.directory);
    slowest = Math.max(slowest, stage.server.readyAfter);
  }
  const caller = admin(stage);
  const { answered, asked } = ledger;
  const unanswered = [...ledger.unanswered];
  const found = await entriesOf(caller, "action.perform", before);
  story.say(
    `${figure(asked)} asked; ${figure(answered.size)} answered, ${figure(found)} in the log after the last kill`,
  );
  story.claim(`killed ${KILLS.length} times with calls in flight`, unanswered.length >= KILLS.length, {
    figure: `${figure(unanswered.length)} without an answer`,
  });
  story.claim("the next server on the same directory was ready each time", slowest < READY_WITHIN_MS, {
    figure: `within ${(slowest / 1000).toFixed(2)} s`,
  });

  const sessions = [openSession(caller), openSession(caller)] as const;
  const [one, other] = sessions;
  const repeated = await Promise.all([...answered.keys()].map((key) => perform(one.scope, key)));
  const kept = [...answered.values()].filter((first, i) => Bun.deepEquals(first, repeated[i], true)).length;
  story.claim("nothing acknowledged is lost: its key gives the same execution", kept === answered.size, {
    figure: of(kept, answered.size),
  });
  // Twice at once, on two connections: whatever became of the first time, there is one execution.
  const retried = await Promise.all(
    unanswered.map((key) => Promise.all([perform(one.scope, key), perform(other.scope, key)])),
  );
  const once = retried.filter(([first, second]) => Bun.deepEquals(first, second, true)).length;
  story.claim("what had no answer, asked for twice more, resolves once", once === unanswered.length, {
    figure: of(once, unanswered.length),
  });
  for (const { close } of sessions) close();

  const performs = await entriesOf(caller, "action.perform", before);
  const executions = new Set([...answered.values(), ...retried.map(([first]) => first)].map(executionOf));
  story.same("a key has one perform, and one execution", [performs, executions.size], [asked, asked], figure(asked));
}

const KEY = "event-";
type Perform = (scope: Scope, key: string) => Promise<Performed>;
const executionOf = ({ execution }: Performed): string => execution;

/** Keeps every session in full flight, kills the server at so many answers, and waits until each session knows. */
async function loadUntilKilled(stage: Stage, ledger: Ledger, perform: Perform, answers: number): Promise<void> {
  const caller = admin(stage);
  let killed: Promise<void> | undefined;

  async function keepAsking(scope: Scope): Promise<void> {
    while (killed === undefined) {
      const key = ledger.next();
      try {
        ledger.answer(key, await perform(scope, key));
      } catch (thrown) {
        if (killed === undefined || remoteFault(thrown).code !== "UNREACHABLE") throw thrown;
        return;
      }
      if (ledger.answered.size >= answers) killed ??= stage.server.kill();
    }
  }

  const sessions = Array.from({ length: SESSIONS }, () => openSession(caller));
  const askers = sessions.flatMap(({ scope }) => Array.from({ length: IN_FLIGHT_EACH }, () => keepAsking(scope)));
  await Promise.all(askers);
  await killed;
  for (const { close } of sessions) close();
}
