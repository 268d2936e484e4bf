// A node of the test's, which answers as the test says and keeps what it was asked: for commands about peers.

import { run } from "../index.ts";
import { hostileServer } from "../remote/hostile-server.fixture.ts";
import { type TestIo, testIo } from "../test-io.ts";

export const KEY = "A".repeat(43);
export const SECRET_ID = "E".repeat(43);
export const PIN = `sha256-${"c".repeat(43)}`;
export const IDENTITY = { node: "n-here", name: "here", domain: "here", key: KEY };
export const ESTABLISHED = {
  ...{ name: "berlin", node: "n-7f3a", domain: "berlin", state: "established", since: Date.now(), complete: true },
  ...{ in: 1, filtered: 0, out: 2, grant: "g-2" },
};
/** What an invitation's file holds. */
export const FILE = {
  ...{ format: "capstan.peer-invite/1", url: "https://berlin.example:7420", node: "n-7f3a", name: "berlin" },
  ...{ domain: "berlin", key: KEY, pin: PIN, secret: "Q".repeat(43), expires: "2100-01-01T00:00:00.000Z" },
};

type Data = Readonly<Record<string, unknown>>;
export type Answer = (data: Data) => unknown;

const USUAL: Readonly<Record<string, Answer>> = {
  "peer.identity": () => IDENTITY,
  "peer.keep": ({ name }) => ({ secret: { secret: `file:peers/${name}.secret` }, id: SECRET_ID }),
  "peer.invite": ({ name }) => ({ name, grant: "g-2" }),
  "peer.add": ({ name }) => ({ name, grant: "g-2" }),
  "peer.show": () => ESTABLISHED,
};

export function askedNode() {
  const asked: { readonly name: string; readonly data: Data }[] = [];
  let answers = USUAL;
  const server = hostileServer(({ name, data }) => {
    asked.push({ name, data: data as Data });
    const answer = answers[name];
    if (answer === undefined) throw new Error(`nobody expected ${name}`);
    return answer(data as Data);
  });
  return {
    url: server.url,
    /** The names of what it was asked. */
    asked: () => asked.map(({ name }) => name),
    /** The data of what it was asked by a message. */
    of: (message: string) => asked.filter(({ name }) => name === message).map(({ data }) => data),
    /** Beside what it usually answers. */
    answers(other: Readonly<Record<string, Answer>>): void {
      answers = { ...answers, ...other };
    },
    forget(): void {
      asked.length = 0;
      answers = USUAL;
    },
    async capstan(words: readonly string[], io: TestIo = testIo()) {
      const code = await run(["--url", server.url, "--token", "t", ...words], io);
      return { io, code, out: io.out(), err: io.err() };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A policy as patterns on a command line make it. */
export function accepts(...routes: string[]) {
  return { clauses: [{ name: "command line", then: "accept", match: { routes } }] };
}

export function fail(code: string, message: string): never {
  throw Object.assign(new Error(message), { code });
}
