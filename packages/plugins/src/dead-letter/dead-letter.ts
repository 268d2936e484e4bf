// Dead letters: work that will not be tried again by itself, kept until somebody has it tried again or gives it up. It knows
// no kind of work: whoever owed it says what it is and how it is tried again. A letter is a message that stays pending, so
// that the log finds what became of it.

import {
  authority,
  definePlugin,
  type Envelope,
  type Fault,
  type FollowUp,
  type Message,
  next,
  type PluginContext,
  type Reader,
  refuse,
  type State,
  siblingId,
} from "@capstan/orchestrator";
import { answerList, answerShow, retained } from "./answer.ts";
import { redriveEffect } from "./effects.ts";
import { letterOf } from "./prepare.ts";
import {
  aboutTable,
  type DeadLetter,
  type DeadLetters,
  deadLetterFaults,
  deadLetterMessages,
  deadLetters,
  LETTER,
  type LetterRow,
  letterTable,
  REDRIVE,
} from "./schema.ts";

type Context = PluginContext<readonly [typeof authority]>;

const given: DeadLetters = Object.freeze({
  add: (letter: DeadLetter) => own("deadLetter", "add", letter),
  open: (state: Pick<State, "get">, kind: string, about: string) => state.get(aboutTable, aboutKey(kind, about)),
  count: (state: Pick<Reader, "count">, kind: string, whole: string) => state.count(aboutTable, aboutKey(kind, whole)),
  leave: (id: string) => own("deadLetter", "leave", { id }),
});

/** The plugin that keeps work without attempts left, raises alerts, and redrives it. */
export function deadLetter() {
  return definePlugin({
    name: "dead-letter",
    version: "1",
    needs: [authority],
    adds: [deadLetters],
    gives: { deadLetters: given },
    messages: deadLetterMessages,
    tables: [letterTable, aboutTable],
    faults: deadLetterFaults,
    prepare: { "deadLetter.redrive": letterOf },
    decide(context) {
      if (context.message.resource !== "deadLetter") return next();
      switch (context.message.action) {
        case "add":
          return add(context);
        case "redrive":
          return redrive(context);
        case "discard":
          return discard(context);
        case "leave":
          return leave(context);
        case "stay":
          return stay(context);
        default:
          return next();
      }
    },
    effects: { [REDRIVE]: redriveEffect },
    answer: { "deadLetter.list": answerList, "deadLetter.show": answerShow },
    retains: retained,
  });
}

function add({ message, envelope, state }: Context) {
  const { kind, about, name, attempts, error, owing, quiet } = message.data as DeadLetter;
  const id = siblingId(envelope.id, "d");
  const before = given.open(state, kind, about);
  const row = before === undefined ? undefined : state.get(letterTable, before);
  // Its owner did not say that it was tried again: there is one letter about a thing.
  const over = row === undefined ? { state } : ended(state, before as string, row, { id: before, replaced: id });
  const letter: LetterRow = { kind, about, name, attempts, code: error.code, owing };
  const text = `${name}: ${kind} ${about} has no attempt left after ${attempts}; ${error.code}: ${error.message}`;
  return next({
    data: { id },
    pending: true,
    ...over,
    state: over.state.put(letterTable, id, letter).put(aboutTable, aboutKey(kind, about), id),
    then: quiet ? [] : [own("alert", "raised", { kind: "dead-letter", about: id, text: text.slice(0, MOST_ALERT) })],
  });
}

/** As long as an alert's text may be. */
const MOST_ALERT = 1000;

/** Asks for what tries it again, in the name of whoever redrives; what comes of that is `leave` or `stay`. */
function redrive({ message, envelope, state, needs }: Context) {
  const { id } = message.data as { id: string };
  const row = state.get(letterTable, id);
  if (row === undefined || !needs.authority.writes(row.name)) return unknown(id);
  if (row.redriving !== undefined) return redriven(id, row.redriving);
  const asks = envelope.facts[LETTER] as Message | undefined;
  if (asks === undefined) return refuse("DEAD_LETTER_ERASED", `what ${id} says was erased; discard it`);
  const { may } = envelope;
  return next({
    data: { id },
    pending: true,
    state: state.put(letterTable, id, { ...row, redriving: envelope.id }),
    effects: [
      {
        id: effectOf(envelope.id),
        kind: REDRIVE,
        data: { id, asks, ...(may === undefined ? {} : { may }) },
        // While it is owed what it asks for was not accepted: that would have ended it, in the same commit.
        replayable: true,
      },
    ],
  });
}

function discard({ message, envelope, state, needs }: Context) {
  const { id, reason } = message.data as { id: string; reason: string };
  const row = state.get(letterTable, id);
  if (row === undefined || !needs.authority.writes(row.name)) return unknown(id);
  if (row.redriving !== undefined) return redriven(id, row.redriving);
  return next({ data: { id }, ...ended(state, id, row, { id, discarded: reason, by: envelope.principal }) });
}

function leave({ message, envelope, state }: Context) {
  const { id } = message.data as { id: string };
  const row = state.get(letterTable, id);
  if (row === undefined) return next();
  return next({ ...ended(state, id, row, { id, message: accepted(envelope) }) });
}

/** The message that was accepted instead of being refused. */
function accepted({ cause, id }: Envelope): string {
  return cause ?? id;
}

function stay({ message, state }: Context) {
  const { id, redrive, error } = message.data as { id: string; redrive: string; error: Fault };
  const row = state.get(letterTable, id);
  if (row?.redriving !== redrive) return next();
  const { redriving: _redriving, ...open } = row;
  return next({
    clause: error.code,
    state: state.put(letterTable, id, open),
    settles: [{ id: redrive, error }],
  });
}

/** A letter that is open no more, with all who wait for that: the message that added it, and the one that redrives it. */
function ended(state: State, id: string, { kind, about, redriving }: LetterRow, data: object) {
  const added = { id: siblingId(id, "m"), data };
  return {
    state: state.remove(letterTable, id).remove(aboutTable, aboutKey(kind, about)),
    settles: redriving === undefined ? [added] : [added, { id: redriving, data }],
    cancels: redriving === undefined ? [] : [effectOf(redriving)],
  };
}

function aboutKey(kind: string, about: string): string {
  return `${kind} ${about}`;
}

function effectOf(redrive: string): string {
  return `${siblingId(redrive, "e")}.redrive`;
}

function own(resource: string, action: string, data: unknown): FollowUp {
  return { message: { resource, action, data } };
}

function unknown(id: string) {
  return refuse("DEAD_LETTER_UNKNOWN", `there is no open dead letter ${id}; deadLetter.show tells what became of it`);
}

function redriven(id: string, by: string) {
  return refuse("DEAD_LETTER_REDRIVING", `${id} is being redriven by ${by}; wait for what comes of it`);
}
