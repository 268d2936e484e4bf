import { expect, test } from "bun:test";
import { askedStream } from "./asked-stream.ts";

const asked = (query: string, headers: Record<string, string> = {}) =>
  askedStream(new Request(`http://127.0.0.1/events${query}`, { headers }));

test("a topic is followed from now on, a subscription from where it is", () => {
  expect(asked("?topic=action.greet")).toEqual({ topic: "action.greet", after: "now", cloudEvents: false });
  expect(asked("?topic=action.*&from=start")).toEqual({ topic: "action.*", after: "start", cloudEvents: false });
  expect(asked("?subscription=s-1")).toEqual({ id: "s-1", cloudEvents: false });
});

test("where the reader was counts more than where it once began", () => {
  expect(asked("?topic=a.b&from=start", { "last-event-id": "7.l-1" })).toMatchObject({ after: "7.l-1" });
  expect(asked("?topic=a.b&from=start&lastEventId=8.l-1")).toMatchObject({ after: "8.l-1" });
  expect(asked("?topic=a.b&lastEventId=8.l-1", { "last-event-id": "7.l-1" })).toMatchObject({ after: "7.l-1" });
  expect(asked("?topic=a.b&from=start", { "last-event-id": "" })).toMatchObject({ after: "start" });
  for (const word of ["now", "start"])
    expect(asked("?topic=a.b", { "last-event-id": word })).toMatchObject({ code: "CURSOR_INVALID" });
});

test("CloudEvents are asked for by a parameter or by what is accepted", () => {
  expect(asked("?topic=a.b&format=cloudevents")).toMatchObject({ cloudEvents: true });
  const accept = "text/event-stream, application/cloudevents+json";
  expect(asked("?topic=a.b", { accept })).toMatchObject({ cloudEvents: true });
  expect(asked("?topic=a.b&format=publication", { accept })).toMatchObject({ cloudEvents: false });
});

const REFUSED: readonly (readonly [query: string, says: RegExp])[] = [
  ["", /say what to follow: either "topic"/],
  ["?topic=a.b&subscription=s-1", /either "topic", such as/],
  ["?topic=a.b&topic=a.c", /"topic" is said twice/],
  ["?topic=a.b&form=start", /unknown "form"; did you mean "from"\?/],
  ["?topic=a.b&x=1", /unknown "x"; there is topic, subscription/],
  ["?topic=a.b&%1b%5b2J=1", /unknown "\\u001b\[2J"/],
  ["?topic=a.b&format=xml", /"format" is one of publication, cloudevents/],
  ["?topic=a.b&access_token=hush", /Authorization: Bearer/],
];
for (const [query, says] of REFUSED) {
  test(`${JSON.stringify(query)} is refused`, () => {
    const refused = asked(query) as { code: string; message: string };
    expect(refused.code).toBe("MESSAGE_INVALID");
    expect(refused.message).toMatch(says);
    expect(refused.message).not.toContain("hush");
  });
}
