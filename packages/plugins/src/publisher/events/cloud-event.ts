// A publication as a CloudEvent 1.0, in the structured JSON form
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md).

import type { Publication } from "../publication.ts";

export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly subject?: string;
  readonly datacontenttype: "application/json";
  readonly data: unknown;
  /** Extensions: lower case and without a separator, as §3.1 has it. */
  readonly cursor: string;
  readonly principal?: string;
  readonly correlation?: string;
  readonly traceparent?: string;
}

/** @param node the id of the node that tells of it */
export function cloudEvent(publication: Publication & { readonly traceparent?: string }, node: string): CloudEvent {
  const { topic, cursor, id, at, data, action, principal, correlation, traceparent, origin } = publication;
  return {
    specversion: "1.0",
    // §3.1.1: with its id it is unique, and the id is of the node that published it.
    ...{
      id,
      source: `/nodes/${encodeURIComponent(origin?.node ?? node)}`,
      type: topic,
      time: new Date(at).toISOString(),
    },
    ...(action === undefined ? {} : { subject: action }),
    datacontenttype: "application/json",
    ...{ data, cursor },
    ...(principal === undefined ? {} : { principal }),
    ...(correlation === undefined ? {} : { correlation }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
