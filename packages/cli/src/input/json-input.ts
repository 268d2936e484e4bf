// JSON from the command line: the argument itself, `@file`, or `-` for standard input.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Io } from "../io.ts";

/** @throws FaultError JSON_INVALID, FILE_UNREADABLE; `what` is what it is for: `the input of greet`. */
export async function jsonInput(io: Io, argument: string, what: string): Promise<unknown> {
  const { text, from } = await inputText(io, argument, what);
  return parseJson(text, from, from === what);
}

/** The text of an argument that may name where to read it. */
export async function inputText(io: Io, argument: string, what: string): Promise<{ text: string; from: string }> {
  if (argument === "-")
    return { text: utf8(await io.stdin(), "standard input"), from: `${what}, from standard input,` };
  if (!argument.startsWith("@")) return { text: argument, from: what };
  const path = argument.slice(1);
  return { text: await fileText(io, path), from: `${what}, from ${printable(path)},` };
}

export async function fileText(io: Io, path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(resolve(io.cwd, path));
  } catch (error) {
    throw unreadable(path, error);
  }
  return utf8(bytes, printable(path));
}

/** @param typed it stood on the command line, where a shell had its way with it first: what arrived is shown */
export function parseJson(text: string, what: string, typed = false): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const said =
      text.trim() === "" ? "it is empty" : printable((error as Error).message.replace(/^JSON Parse error: /, ""));
    throw new FaultError(fault("JSON_INVALID", `${what} is not JSON: ${said}${typed ? arrived(text) : ""}`));
  }
}

function arrived(text: string): string {
  if (text.trim() === "") return "";
  const unquoted = !text.includes('"');
  const hint = unquoted
    ? `; JSON has double quotes, which a shell leaves alone within single ones: '{"name":"Ada"}'`
    : "";
  return `, in ${printable(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text)}${hint}`;
}

const LONGEST_SHOWN = 80;

export function unreadable(path: string, error: unknown): FaultError {
  return new FaultError(fault("FILE_UNREADABLE", `${printable(path)} cannot be read: ${reasonOf(error)}`));
}

/** `no such file`, of an error of the file system's. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  switch (code) {
    case "ENOENT":
      return "there is no such file or directory";
    case "EISDIR":
      return "it is a directory";
    case "EACCES":
    case "EPERM":
      return "this user may not";
    case "EEXIST":
      return "it is there already";
    case "ENOTDIR":
      return "a part of its path is no directory";
    case "ENOSPC":
    case "EDQUOT":
    case "SQLITE_FULL":
      return "the disk is full";
    case "EFBIG":
      return "it may not be that large here";
    case "EROFS":
      return "the file system is read-only";
    default:
      return printable(code ?? String(message));
  }
}

function utf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FaultError(fault("JSON_INVALID", `${what} is not UTF-8`));
  }
}
