// The scope of a message table, by type: what scope.ts makes.

import type { z } from "zod";
import type { MessageDefinition } from "../message/definition.ts";
import type { CallOptions, Message } from "../message/message.ts";

type Method<Definition> =
  Definition extends MessageDefinition<infer Data, infer Result>
    ? (
        ...args: Record<never, never> extends z.input<Data>
          ? [data?: z.input<Data>, options?: CallOptions]
          : [data: z.input<Data>, options?: CallOptions]
      ) => Promise<z.output<Result>>
    : never;

type OpenVerbs<Verbs> = {
  readonly [Verb in keyof Verbs as Verbs[Verb] extends { readonly internal: true } ? never : Verb]: Method<Verbs[Verb]>;
};

type AddressedVerbs<Verbs> = {
  readonly [Verb in keyof Verbs as Verbs[Verb] extends { readonly addressed: true } ? Verb : never]: Method<
    Verbs[Verb]
  >;
};

/** What can be asked of another node: `scope.at("berlin").action.perform(…)`. */
export type AddressedScope<Messages> = {
  readonly [Resource in keyof Messages as keyof AddressedVerbs<Messages[Resource]> extends never
    ? never
    : Resource]: AddressedVerbs<Messages[Resource]>;
} & {
  applyAction(message: Message, options?: CallOptions): Promise<unknown>;
  /** Addresses a node behind that one, through it. */
  at(where: string): AddressedScope<Messages>;
};

/** The scope of a message table, by type. */
export type Scope<Messages> = { readonly [Resource in keyof Messages]: OpenVerbs<Messages[Resource]> } & {
  applyAction(message: Message, options?: CallOptions): Promise<unknown>;
  /** Addresses another node. Present only where some message of the composition can be addressed. */
  at(where: string): AddressedScope<Messages>;
} & Disposable;
