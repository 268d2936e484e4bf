// GET /events: publications as server-sent events, from a cursor on and as they come. It reads by the message that everybody reads
// by, in the reader's name, page by page: what a grant covers no more is not sent any more.

import {
  type Door,
  type DoorContext,
  type Fault,
  FaultError,
  fault,
  faultOf,
  type Principal,
} from "@capstan/orchestrator";
import { type AskedStream, askedStream } from "./asked-stream.ts";
import { cloudEvent } from "./cloud-event.ts";
import { eventStream, PAGE, type Page } from "./event-stream.ts";

export interface EventsDoorOptions {
  /** Streams that one principal may have open; default 100. */
  readonly streams?: number;
}

const STREAMS = 100;
/** Readers who left are still read for until that is over, 15 s at most: of those there may be as many again. */
const READ_FOR = 2;
const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // nginx gathers what it passes on, unless it is told not to.
  "x-accel-buffering": "no",
};

export function createEventsDoor({ streams = STREAMS }: EventsDoorOptions = {}): Door {
  const held = new Map<string, { open: number; read: number }>();

  /** Takes one of the principal's streams. Answers how to give it back: when it is over, and when nothing is read for it. */
  function take(principal: string): { readonly over: () => void; readonly unread: () => void } | undefined {
    const mine = held.get(principal) ?? { open: 0, read: 0 };
    if (mine.open >= streams || mine.read >= streams * READ_FOR) return undefined;
    held.set(principal, mine);
    mine.open++;
    mine.read++;
    return {
      over() {
        mine.open--;
      },
      unread() {
        mine.read--;
        if (mine.read === 0) held.delete(principal);
      },
    };
  }

  async function answer(request: Request, context: DoorContext): Promise<Response | Fault> {
    if (context.stopping.aborted) return fault("STOPPING", "the node is shutting down; come back to it later");
    const as = await context.authenticate(request);
    if ("code" in as) return as;
    const asked = askedStream(request);
    if ("code" in asked) return asked;
    const mine = take(as.principal);
    if (mine === undefined) {
      return fault("STREAMS_EXCEEDED", `${as.principal} has ${streams} streams of events open; end some of them first`);
    }
    try {
      const read = reading(asked, as, context);
      // What is wrong is found before the stream begins, while there is a status to say it with.
      const first = await read(asked.after, PAGE, 0);
      context.keepOpen(request);
      const { id: node } = context.reader.node;
      const dataOf = asked.cloudEvents ? (one: Page["items"][number]) => cloudEvent(one, node) : (one: object) => one;
      const stream = eventStream({ first, read, dataOf, context, ...mine });
      return new Response(stream, { headers: HEADERS });
    } catch (thrown) {
      mine.over();
      mine.unread();
      if (!(thrown instanceof FaultError)) throw thrown;
      return faultOf(thrown);
    }
  }

  return {
    path: "/events",
    methods: ["GET"],
    async fetch(request, context) {
      const answered = await answer(request, context);
      return "code" in answered ? context.refuse(answered) : answered;
    },
  };
}

/** Reads in somebody's name: each page is decided like any message of theirs. */
function reading({ topic, id }: AskedStream, as: Principal, context: DoorContext) {
  return async (after: string | undefined, limit: number, wait: number): Promise<Page> => {
    const from = after === undefined ? {} : { after };
    const data = { ...(topic === undefined ? { id } : { topic }), ...from, limit, wait };
    return (await context.submit({ resource: "subscription", action: "read", data }, as)) as Page;
  };
}
