// What plugins hand down the pipeline to one another: a token is a type and a value in one, so that the compiler and the
// start both check that whatever a plugin needs was added by one before it.

import type { Fault } from "../fault/fault.ts";

declare const valueType: unique symbol;

/** A name that carries the type of a value which plugins pass down the pipeline. */
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

/** A right that is no message: `file.read` of a directory, `process.run` of a program. Grants cover rights as they cover messages. */
export interface Right {
  readonly resource: string;
  readonly verb: string;
  /** What it applies to: a name, or a prefix that ends in `*`. */
  readonly name: string;
}

/** Who acts, and under what: what `authority` stands for. */
export interface Authority {
  readonly principal: string;
  readonly grant: string;
  /** Whether answers may contain a thing of this name: lists leave out the others. */
  reads(name: string): boolean;
  /** Whether it may change a thing of this name. For messages about an id: its namespace is known only once the thing is found. */
  writes(name: string): boolean;
  /** Why its grant, as far as the holder may use it, does not cover a right; `undefined` where it does. */
  allows(right: Right): Fault | undefined;
}

/** The kernel's one reserved token: until a plugin has added it, none may write, or stop with success. */
export const authority = token<Authority>()("authority");
