// What the actions should have answered, found another way: by SQL over the payloads, in an SQLite of the client's own. None
// of the actions' code is in it.

import { Database } from "bun:sqlite";
import { deliveries } from "./payloads.ts";

export interface Expected {
  readonly kind: string;
  readonly repository: string | null;
  readonly private: boolean;
  readonly archived: boolean;
  readonly actor: string;
  readonly summary: string;
}

interface Figures {
  readonly events: number;
  readonly kinds: number;
  readonly repositories: number;
  readonly private: number;
  readonly busiest: { readonly actor: string; readonly events: number };
}

const SUBJECT = [
  "pull_request.title",
  "issue.title",
  "discussion.title",
  "release.name",
  "security_advisory.summary",
  "head_commit.message",
  "workflow_run.name",
  "workflow_job.name",
  "check_run.name",
  "milestone.title",
  "label.name",
  "team.name",
  "package.name",
  "rule.name",
  "member.login",
  "forkee.full_name",
  "repository.full_name",
].map((path) => `payload ->> '$.${path}'`);

const database = new Database(":memory:");
database.run("create table delivery (number integer primary key, event text, payload text)");
database.run(`
  create view classified as
  with told as (
    select number, event,
      event || coalesce('.' || (payload ->> '$.action'), '') as kind,
      payload ->> '$.repository.full_name' as repository,
      coalesce(payload ->> '$.repository.private', 0) as private,
      coalesce(payload ->> '$.repository.archived', 0) as archived,
      coalesce(payload ->> '$.sender.login', 'somebody') as actor,
      coalesce(${SUBJECT.join(", ")}, event) || char(10) as subject
    from delivery)
  select number, kind, repository, private, archived, actor,
    actor || ': ' || kind || ', ' || substr(substr(subject, 1, instr(subject, char(10)) - 1), 1, 72) as summary,
    case
      when event in ('security_advisory', 'dependabot_alert', 'code_scanning_alert', 'repository_vulnerability_alert')
        then 'security'
      when event in ('release', 'package') then 'releases'
      when event in ('issues', 'issue_comment', 'discussion', 'discussion_comment', 'label', 'milestone')
        then 'support'
      when event in ('push', 'merge_group', 'create', 'delete', 'status', 'commit_comment')
        or event glob 'pull_request*' or event glob 'check_*' or event glob 'workflow_*' or event glob 'deployment*'
        then 'engineering'
      else 'office'
    end as channel
  from told`);
const insert = database.prepare("insert into delivery values (?, ?, ?)");
database.transaction(() => {
  for (const [number, { event, payload }] of deliveries.entries()) insert.run(number, event, JSON.stringify(payload));
})();

/** What `classify` should answer, delivery by delivery. */
export function expectedClassifications(): readonly Expected[] {
  const rows = database
    .query("select kind, repository, private, archived, actor, summary from classified order by number")
    .all() as (Omit<Expected, "private" | "archived"> & { private: number; archived: number })[];
  return rows.map((row) => ({ ...row, private: row.private === 1, archived: row.archived === 1 }));
}

/** What `digest` should answer for deliveries `from` to `to`, the last included. */
export function expectedDigest(from: number, to: number): Figures {
  const counted = database
    .query(
      `select count(*) as events, count(distinct kind) as kinds, count(distinct repository) as repositories,
         sum(private) as private from classified where number between ? and ?`,
    )
    .get(from, to) as Omit<Figures, "busiest">;
  const busiest = database
    .query(
      `select actor, count(*) as events from classified where number between ? and ?
         group by actor order by events desc, actor limit 1`,
    )
    .get(from, to) as Figures["busiest"];
  return { ...counted, busiest };
}

/** The channel that hears first of each delivery, and whether its repository is a quiet one. */
export function expectedNotices(): readonly { readonly channel: string; readonly quiet: boolean }[] {
  const rows = database.query("select channel, private or archived as quiet from classified order by number").all();
  return (rows as { channel: string; quiet: number }[]).map(({ channel, quiet }) => ({ channel, quiet: quiet === 1 }));
}
