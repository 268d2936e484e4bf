// A reader of server-sent events, as EventSource reads them, with headers of the test's:
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

export interface ServerEvent {
  readonly type: string;
  readonly data: unknown;
  readonly id: string;
}

export interface EventReader {
  readonly response: Response;
  /** What the next request says as Last-Event-ID. */
  lastEventId(): string;
  /** The next event; `undefined` where the stream is over. */
  next(): Promise<ServerEvent | undefined>;
  /** As many events. */
  take(count: number): Promise<ServerEvent[]>;
  close(): Promise<void>;
}

interface ReadOptions {
  readonly secret: string;
  readonly lastEventId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function openEvents(url: string, { secret, lastEventId, headers }: ReadOptions): Promise<EventReader> {
  const abort = new AbortController();
  const response = await fetch(url, {
    signal: abort.signal,
    headers: {
      ...{ authorization: `Bearer ${secret}`, accept: "text/event-stream", ...headers },
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    },
  });
  const body = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream() as never);
  const chunks = (body as unknown as ReadableStream<string>).getReader();
  let buffer = "";
  let last = lastEventId ?? "";
  let event = { type: "", data: [] as string[] };

  function line(text: string): ServerEvent | undefined {
    if (text === "") {
      const { type, data } = event;
      event = { type: "", data: [] };
      return data.length === 0 ? undefined : { type: type || "message", data: JSON.parse(data.join("\n")), id: last };
    }
    const colon = text.indexOf(":");
    if (colon === 0) return undefined;
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "id" && !value.includes("\0")) last = value;
    if (name === "event") event.type = value;
    if (name === "data") event.data.push(value);
    return undefined;
  }

  async function next(): Promise<ServerEvent | undefined> {
    for (;;) {
      for (let end = /\r\n|\r|\n/.exec(buffer); end !== null; end = /\r\n|\r|\n/.exec(buffer)) {
        const found = line(buffer.slice(0, end.index));
        buffer = buffer.slice(end.index + end[0].length);
        if (found !== undefined) return found;
      }
      const { value, done } = await chunks.read();
      if (done) return undefined;
      buffer += value;
    }
  }

  return {
    response,
    lastEventId: () => last,
    next,
    async take(count) {
      const events: ServerEvent[] = [];
      while (events.length < count) {
        const one = await next();
        if (one === undefined) throw new Error(`the stream ended after ${events.length} events`);
        events.push(one);
      }
      return events;
    },
    async close() {
      abort.abort();
      await chunks.cancel().catch(() => {});
    },
  };
}
