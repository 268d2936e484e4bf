// The node's process, and sessions with it that can be torn.

import { connect } from "@capstan/orchestrator/client";
import type { StandardMessages } from "@capstan/plugins";

export interface Address {
  readonly url: string;
  readonly token: string;
}

export interface NodeProcess extends Address {
  memory(): Promise<number>;
  end(): Promise<void>;
}

export async function startNode(directory: string): Promise<NodeProcess> {
  const ready = Promise.withResolvers<Address>();
  let remembered = Promise.withResolvers<number>();
  const child = Bun.spawn([process.execPath, new URL("./server.ts", import.meta.url).pathname, directory], {
    stdio: ["ignore", "inherit", "inherit"],
    ipc(said: Address & { readonly memory?: number }) {
      if (said.memory === undefined) ready.resolve(said);
      else remembered.resolve(said.memory);
    },
  });
  void child.exited.then((code) => ready.reject(new Error(`the node ended with ${code}`)));
  ready.promise.catch(() => {});
  return {
    ...(await ready.promise),
    memory() {
      remembered = Promise.withResolvers();
      child.send("memory");
      return remembered.promise;
    },
    async end() {
      child.kill("SIGTERM");
      child.disconnect();
      await child.exited;
    },
  };
}

/** A session as somebody who may subscribe and perform. */
export function openSession({ url, token }: Address) {
  let socket: WebSocket | undefined;
  const connected = connect<StandardMessages>({
    url,
    as: { connectionFromCli: token },
    webSocket: (to) => {
      socket = new WebSocket(to);
      return socket;
    },
  });
  return {
    scope: connected.scope,
    onClose: connected.onClose,
    close: () => connected.close(),
    /** As a process that is killed: nothing more is sent or heard, not even that it is over. */
    tear: () => (socket as WebSocket & { terminate(): void }).terminate(),
  };
}

export type Session = ReturnType<typeof openSession>;
