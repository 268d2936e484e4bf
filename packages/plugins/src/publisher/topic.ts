// Topics: what publications stand under. An action's is `action.<name>`; a subscription is to one topic, or to all that begin
// alike. A topic's namespace is that of the name in it.

import {
  type Fault,
  fault,
  namespaceOf,
  nearest,
  printable,
  type Right,
  type State,
  type Table,
} from "@capstan/orchestrator";

const KIND = /^([a-z][A-Za-z0-9]*)\.(.+)$/;

/** What a topic is of: `greet` of `action.greet`. Patterns have theirs too: `books/*` of `action.books/*`. */
export function nameIn(topic: string): string {
  return KIND.exec(topic)?.[2] ?? topic;
}

/** The name of the action that a topic is of, where it is of one. */
export function actionIn(topic: string): string | undefined {
  const parts = KIND.exec(topic);
  return parts?.[1] === "action" ? parts[2] : undefined;
}

/** Whether a topic is of an action that is here: then that is meant, whatever others publish under the name. */
export function isHere(rows: Pick<State, "get">, actions: Table, topic: string): boolean {
  const action = actionIn(topic);
  return action !== undefined && rows.get(actions, action) !== undefined;
}

export function namespaceIn(topic: string): string {
  return namespaceOf(nameIn(topic));
}

export function isPattern(topic: string): boolean {
  return topic.endsWith("*");
}

export function covers(topic: string, published: string): boolean {
  return isPattern(topic) ? published.startsWith(topic.slice(0, -1)) : published === topic;
}

/** What reading a topic needs beside the message, now and for as long as it goes on. */
export function reading(topic: string): Right {
  return { resource: "subscription", verb: "read", name: topic };
}

/** Names are compared, and not what all topics begin with: `action.upper` is not near to `action.nope`. */
export function nearestTopic(topic: string, known: Iterable<string>): string | undefined {
  const kind = KIND.exec(topic)?.[1];
  const all = [...known];
  const alike = all.filter((one) => one.startsWith(`${kind}.`));
  if (alike.length === 0) return nearest(topic, all);
  const name = nearest(nameIn(topic), alike.map(nameIn));
  return name === undefined ? undefined : `${kind}.${name}`;
}

/** @param known the topics that the caller may read */
export function unknownTopic(topic: string, known: Iterable<string>): Fault {
  const suggestion = nearestTopic(topic, known);
  const hint =
    suggestion === undefined ? "a topic is action.<name>, or a prefix with *" : `did you mean "${suggestion}"?`;
  return fault("TOPIC_UNKNOWN", `nothing is published under "${printable(topic)}"; ${hint}`);
}
