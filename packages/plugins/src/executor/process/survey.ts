// The machine's processes as /proc has them now. Where there is no /proc nothing is found, and only a process group is left to
// end a run by.

import { readdir, readFile } from "node:fs/promises";

export interface SurveyedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since boot: with the pid, which process it is. */
  readonly started: number;
  /** As it was when the program began; empty where it cannot be read. */
  environment(): Promise<string>;
}

/** All that are not zombies. */
export async function survey(): Promise<readonly SurveyedProcess[]> {
  const names = await readdir("/proc").catch(() => []);
  const found = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(read));
  return found.filter((one) => one !== undefined);
}

async function read(pid: string): Promise<SurveyedProcess | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  // The name in parentheses may hold anything, parentheses too. proc(5)
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (text === "" || fields[0] === "Z" || fields[0] === "X") return undefined;
  let environment: Promise<string> | undefined;
  const [, parent, group, session] = fields.map(Number) as [number, number, number, number];
  return {
    pid: Number(pid),
    parent,
    group,
    session,
    started: Number(fields[19]),
    environment() {
      environment ??= readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      return environment;
    },
  };
}

/** A survey that began after it was asked for; those who ask while one is made share the next. */
export function sharedSurvey(take = survey): () => Promise<readonly SurveyedProcess[]> {
  let running: Promise<unknown> | undefined;
  let next: Promise<readonly SurveyedProcess[]> | undefined;
  return () => {
    if (running === undefined) return begin();
    next ??= running.then(() => {
      next = undefined;
      return begin();
    });
    return next;
  };

  function begin(): Promise<readonly SurveyedProcess[]> {
    const taken = take();
    const ended = taken.then(
      () => {},
      () => {},
    );
    running = ended;
    void ended.then(() => {
      if (running === ended) running = undefined;
    });
    return taken;
  }
}
