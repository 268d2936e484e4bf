// Topics as routes, and back: what nodes tell each other of is `topic:action.greet`, and what is read is `action.greet`.

const TOPIC = "topic:";

export function routeOfTopic(topic: string): string {
  return TOPIC + topic;
}

/** The topic that a route is; `undefined` where it is none. */
export function topicOfRoute(route: string): string | undefined {
  return route.startsWith(TOPIC) ? route.slice(TOPIC.length) : undefined;
}
