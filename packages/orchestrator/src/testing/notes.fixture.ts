// A plugin for tests: notes that are written, and read back as of the tip.

import { z } from "zod";
import { query } from "../message/definition.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { plugin, takes } from "./start.fixture.ts";

export const noteTable = table<string>("note");

/** `note.write { name, text }` writes a row, and refuses one that is there; `note.read { name }` answers it. */
export function notes(): AnyPlugin {
  return plugin("notes", {
    needs: [authority],
    tables: [noteTable],
    faults: { NOTE_THERE: { status: 409, retryable: false } },
    messages: {
      note: {
        write: takes("name", "text"),
        read: query({ summary: "Read.", data: z.strictObject({ name: z.string() }), result: z.unknown() }),
      },
    },
    decide({ message, state }) {
      const { name, text } = message.data as { name: string; text: string };
      if (message.resource !== "note" || message.action !== "write") return next();
      if (state.get(noteTable, name) !== undefined) return refuse("NOTE_THERE", `${name} is there`);
      return next({ state: state.put(noteTable, name, text), data: { name } });
    },
    answer: {
      "note.read": (envelope, reader) =>
        reader.get(noteTable, (envelope.message.data as { name: string }).name) ?? null,
    },
  });
}
