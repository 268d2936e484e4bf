// What plugins hand down the pipeline to one another: a token is a type and a value in one, so that the compiler and the
// start both check that whatever a plugin needs was added by one before it.

import type { Fault } from "../fault/fault.ts";

declare const valueType: unique symbol;

export interface Token<Name extends string = string, Value = unknown> {
  readonly name: Name;
  readonly [valueType]?: Value;
}

/** `const authority = token<Authority>()("authority")`. */
export function token<Value>(): <const Name extends string>(name: Name) => Token<Name, Value> {
  return (name) => Object.freeze({ name });
}

type ValueOf<T> = T extends Token<string, infer Value> ? Value : never;

/** The values that a list of tokens stands for, by name. */
export type TokenValues<Tokens extends readonly Token[]> = {
  readonly [T in Tokens[number] as T["name"]]: ValueOf<T>;
};

/** Something in the world outside of messages that a grant may cover: `file.read` of a directory, `process.run` of a program. */
export interface Right {
  readonly resource: string;
  readonly verb: string;
  /** What it is of; ends in `*` where it stands for everything that begins so. */
  readonly name: string;
}

/** Who acts, and under what: what `authority` stands for. */
export interface Authority {
  readonly principal: string;
  readonly grant: string;
  /** Whether answers may tell of a thing of this name: lists leave out the rest. */
  reads(name: string): boolean;
  /** Whether it may change a thing of this name: for messages about ids, whose namespace is known only by what they are of. */
  writes(name: string): boolean;
  /** Why its grant, as far as the holder may use it, does not cover a right; `undefined` where it does. */
  allows(right: Right): Fault | undefined;
}

/** The kernel's one reserved token: until a plugin has added it, none may write, or stop with success. */
export const authority = token<Authority>()("authority");
