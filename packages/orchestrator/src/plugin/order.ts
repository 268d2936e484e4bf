// The order of plugins, checked by the compiler: a tuple in which a plugin stands before what it needs does not compile.
// A composition put together at run time has no tuple type; composition.ts checks that one at start, by name.

import type { MessageTable } from "../message/definition.ts";
import type { KernelMessages } from "../message/kernel-messages.ts";
import type { AnyPlugin } from "./plugin.ts";
import type { Token } from "./token.ts";

/** Names that a list of tokens certainly holds: none where the list is optional or its names are not known. */
type Certain<Tokens> = undefined extends Tokens
  ? never
  : Tokens extends readonly Token[]
    ? string extends Tokens[number]["name"]
      ? never
      : Tokens[number]["name"]
    : never;

/** Names that a list of tokens may hold. */
type Possible<Tokens> = NonNullable<Tokens> extends readonly Token[] ? NonNullable<Tokens>[number]["name"] : never;

type Property<P, Name extends string> = P extends { readonly [N in Name]: infer Value }
  ? Value
  : P extends { readonly [N in Name]?: infer Value }
    ? Value | undefined
    : undefined;

/** What a plugin in the wrong place becomes; nothing is assignable to it, and the compiler prints it. */
export interface OrderError<Plugin extends string, Missing extends string> {
  readonly "this plugin": Plugin;
  readonly "needs, from a plugin before it": Missing;
}

type NameOf<P> = P extends { readonly name: infer Name extends string } ? Name : string;

type Walk<P extends readonly unknown[], Have extends string> = P extends readonly [infer Head, ...infer Rest]
  ? [
      [Exclude<Possible<Property<Head, "needs">>, Have>] extends [never]
        ? Head
        : OrderError<NameOf<Head>, Exclude<Possible<Property<Head, "needs">>, Have>>,
      ...Walk<Rest, Have | Certain<Property<Head, "adds">>>,
    ]
  : [];

/** The tuple itself where the order is right. */
export type Ordered<P extends readonly AnyPlugin[]> = number extends P["length"] ? P : Readonly<Walk<P, never>>;

type UnionToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void ? I : never;

type TableOf<P> = P extends { readonly messages?: infer Messages } ? NonNullable<Messages> : never;

/** The message tables of all plugins and the kernel, as one. */
export type MessagesOf<P extends readonly AnyPlugin[]> = number extends P["length"]
  ? MessageTable
  : UnionToIntersection<TableOf<P[number]>> & KernelMessages;
