// What is kept of challenges in one session, without a session around it.

import { expect, test } from "bun:test";
import { ConnectionSessions } from "./connection-sessions.ts";

test("a session that is challenged again and again listens for its own end once", () => {
  let listeners = 0;
  const lives = {
    lasting: true,
    onEnd: () => {
      listeners++;
      return () => {};
    },
  };
  const sessions = new ConnectionSessions({ lives, budget: { end() {} } });
  for (let i = 0; i < 100; i++) {
    expect(sessions.take("connectionFromWord").kept).toBe(i === 0 ? undefined : i - 1);
    sessions.keep("connectionFromWord", i);
  }
  expect(listeners).toBe(1);
});
