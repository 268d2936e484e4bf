// The client's side of a session over a link that is still being opened: calls wait until it is there. It runs in browsers too, and so
// imports no particular link.

import type { RpcTransport } from "capnweb";
import { type Fault, FaultError } from "../fault/fault.ts";
import { CLOSE_NORMAL, type Dial, type DialledLink, type LinkReceiver } from "./link.ts";

export class ClientTransport implements RpcTransport, LinkReceiver {
  #link: DialledLink | undefined;
  /** Frames that wait for the link. */
  #unsent: string[] = [];
  #frames: string[] = [];
  #receiving: PromiseWithResolvers<string> | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #over = false;

  constructor(url: string, dial: Dial) {
    dial(url).then(
      (link) => this.#opened(link),
      (why) => this.#fail(why),
    );
  }

  // For capnweb.

  send(frame: string): void {
    if (this.#over) return;
    if (this.#link === undefined) this.#unsent.push(frame);
    else if (!this.#link.send([frame])) this.#fail(new Error("the node does not take what is sent"));
  }

  receive(): Promise<string> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (this.#failure !== undefined) return Promise.reject(this.#failure.reason);
    this.#receiving = Promise.withResolvers();
    return this.#receiving.promise;
  }

  abort(reason: unknown): void {
    this.#over = true;
    this.#link?.close(CLOSE_NORMAL, "");
    this.#fail(reason);
  }

  // For the link.

  received(frame: string): void {
    if (this.#receiving === undefined) {
      this.#frames.push(frame);
      return;
    }
    const { resolve } = this.#receiving;
    this.#receiving = undefined;
    resolve(frame);
  }

  invalid(why: Fault): void {
    this.#fail(new FaultError(why));
    this.#link?.terminate();
  }

  closed(code: number, reason: string): void {
    this.#over = true;
    this.#fail(new Error(`the node ended the connection: ${code} ${reason}`.trim()));
  }

  #opened(link: DialledLink): void {
    this.#link = link;
    link.carry(this);
    if (this.#unsent.length > 0) link.send(this.#unsent);
    this.#unsent = [];
    if (this.#over) link.close(CLOSE_NORMAL, "");
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#receiving?.reject(this.#failure.reason);
    this.#receiving = undefined;
  }
}
