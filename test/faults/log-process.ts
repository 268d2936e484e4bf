// A log in a process of its own, so that it can be killed: `log-process.ts PATH`. Says `{ head }` once it is open; for each line on
// stdin it appends an entry, and says `{ head }` or `{ failed }`.

import { type NewEntry, sqliteLog } from "@capstan/orchestrator";

const log = sqliteLog(process.argv[2] as string);
say({ head: log.head });
for await (const line of console) {
  try {
    await log.append(log.head, [entry(line)]);
    say({ head: log.head });
  } catch (thrown) {
    say({ failed: String(thrown) });
  }
}
process.exit();

function entry(text: string): NewEntry {
  const id = `m-${text.padStart(16, "0")}`;
  return { id, at: 1, text: `${JSON.stringify({ id })}\n`, rows: [{ table: "text", key: text, json: "1" }] };
}

function say(line: { readonly head: number } | { readonly failed: string }): void {
  console.log(JSON.stringify(line));
}
