// What was done is published to whoever subscribed. A completion's entry is the publication (docs/adr/0017): what is decided here is
// which receivers and subscriptions there are; handing on is reading the log (delivery/deliveries.ts).

import { definePlugin, next, type PluginContext, type Reader, refuse } from "@capstan/orchestrator";
import { compileSchema, describeProblems } from "../registry/json-schema.ts";
import { actions, topicOf } from "../registry/schema.ts";
import { unknownAction } from "../registry/unknown-action.ts";
import { answers } from "./answer.ts";
import { carriedTopics } from "./carried-topics.ts";
import { type Context, NEEDS } from "./context.ts";
import { decideReceiver } from "./decide-receiver.ts";
import { decideSubscription } from "./decide-subscription.ts";
import { Deliveries, type DeliveryOptions } from "./delivery/deliveries.ts";
import { redeliver } from "./effects.ts";
import { importAlertTable, importedTable, topicElsewhereTable, topics } from "./elsewhere/topics.ts";
import { createEventsDoor } from "./events/events-door.ts";
import { inspectReceiver, newSubscription, publishedIn, startOf } from "./prepare.ts";
import { oldestCursor } from "./retained.ts";
import {
  cursorTable,
  publisherFaults,
  publisherMessages,
  REDELIVER,
  receiverTable,
  subscriptionTable,
} from "./schema.ts";

/** How patient deliveries are, and how many run at once. */
export type PublisherOptions = DeliveryOptions;

/** The plugin that delivers publications to receivers and callbacks. */
export function publisher(options: PublisherOptions = {}) {
  // One node at a time: what it does by itself begins with `run`.
  let begun = Promise.withResolvers<Deliveries>();
  let deliveries: Deliveries | undefined;
  const inspect = (envelope: PluginContext["envelope"], reader: Reader) =>
    inspectReceiver(deliveries?.protocols, envelope, reader);
  const given = carriedTopics(() => deliveries);
  return definePlugin({
    name: "publisher",
    version: "1",
    configuration: { ...options },
    needs: NEEDS,
    adds: [topics],
    gives: { topics: given },
    messages: publisherMessages,
    tables: [receiverTable, subscriptionTable, cursorTable, topicElsewhereTable, importedTable, importAlertTable],
    faults: publisherFaults,
    prepare: {
      "receiver.register": inspect,
      "receiver.update": inspect,
      "subscription.create": (envelope, reader) =>
        newSubscription(deliveries?.runtime.given(actions), envelope, reader),
      "subscription.acknowledge": startOf,
      "subscription.redeliver": publishedIn,
    },
    decide(context) {
      switch (context.message.resource) {
        case "execution":
          return context.message.action === "complete" ? completed(context) : next();
        case "action":
          return decideAction(context);
        case "receiver":
          return decideReceiver(context);
        case "subscription":
          return decideSubscription(context);
        default:
          return next();
      }
    },
    effects: { [REDELIVER]: redeliver(() => begun.promise) },
    answer: answers(() => deliveries, given.carriers),
    retains: oldestCursor,
    doors: [createEventsDoor()],
    run(runtime) {
      deliveries = new Deliveries(runtime, options);
      begun.resolve(deliveries);
    },
    async stop() {
      await deliveries?.stop();
      deliveries = undefined;
      begun = Promise.withResolvers();
    },
  });
}

/**
 * An execution ended with an output: its entry is the publication, as the executor says in it. The completion is the node's own
 * message; whose performing it was is told with it.
 */
function completed({ message, before, needs }: Context) {
  const { execution } = message.data as { readonly execution: string };
  const row = before.get(needs.executions, execution);
  return row === undefined ? next() : next({ data: { principal: row.principal } });
}

function decideAction(context: Context) {
  switch (context.message.action) {
    case "publish":
      return publish(context);
    case "register":
      return registered(context);
    default:
      return next();
  }
}

/** What is here is meant from now on, whatever another node publishes under the name. */
function registered({ message, state }: Context) {
  const { name } = message.data as { readonly name: string };
  const topic = topicOf(name);
  if (state.get(importedTable, topic) === undefined) return next();
  return next({ state: state.remove(importedTable, topic), clause: `${topic} is published here from now on` });
}

function publish({ message, envelope, state, needs }: Context) {
  const { name, output } = message.data as { readonly name: string; readonly output?: unknown };
  const action = state.get(needs.actions, name);
  if (action === undefined) {
    const known = [...state.rows(needs.actions)].map(([one]) => one).filter((one) => needs.authority.reads(one));
    const { code, message: text } = unknownAction(name, known);
    return refuse(code, text);
  }
  const problems = compileSchema(action.output)(output);
  if (problems.length > 0) {
    const { message: text, details } = describeProblems(`${name}: its output`, problems);
    return refuse("OUTPUT_INVALID", text, { details });
  }
  const topic = topicOf(name);
  return next({ data: { id: envelope.id, topic }, publishes: topic });
}
