import { expect, test } from "bun:test";
import { standardMessages } from "./described.ts";
import { describedStandard } from "./standard-messages.fixture.ts";

test("standard-messages.json is what the messages are (`npm run docs` writes it)", async () => {
  expect(await standardMessages()).toEqual(JSON.parse(JSON.stringify(describedStandard())));
});
