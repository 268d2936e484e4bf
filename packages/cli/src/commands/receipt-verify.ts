// `capstan receipt verify FILE --key KEY`: what a receipt proves, with no server asked and nothing of a node needed but its
// verifier key. What is printed of the entry is printed only once it is proven.

import {
  type EntryPart,
  openNote,
  parseVerifierKey,
  parseWitnessKey,
  proven,
  type VerifiedReceipt,
  type VerifierKey,
  verifyReceipt,
} from "@capstan/orchestrator/proof";
import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { fileText, inputText } from "../input/json-input.ts";
import type { Io } from "../io.ts";
import { brief } from "../output/brief.ts";
import { columns, instant } from "../output/columns.ts";

const PART_NAMES = { b: "body", f: "facts", r: "rows", t: "trace" } as const;
/** A key as text: no path looks like it. */
const KEY_TEXT = /^[^+\s]+\+[0-9a-f]{8}\+\S+$/;

export function receiptCommand(program: Command, cli: Cli): void {
  const receipt = program
    .command("receipt")
    .description("Verify a receipt, without any server.")
    .helpCommand("help [verb]", "print help of a verb");
  receipt
    .command("verify")
    .description("Verify that an entry is in the log of a node whose key you trust, and show it.")
    .argument("<file>", "the receipt, as capstan log receipt gives it; or - for standard input")
    .requiredOption(
      "--key <key>",
      "the verifier key that you trust, or a file with it (a node's node.pub), or with several",
    )
    .option(
      "--witness-key <key>",
      "the key of a witness that has to have cosigned it, or a file with it (its node.pub), or with several; may be given more than once",
      (key: string, before: readonly string[]) => [...before, key],
      [],
    )
    .action((file: string, flags: Flags) => verify(cli, file, flags))
    .addHelpText(
      "after",
      `
The key has to come from where you trust it: not from who gave you the receipt. What a receipt proves, and what it cannot, is in
docs/adr/0011; its format in docs/log-format.md. With --witness-key it is proven only where each of these witnesses cosigned the
checkpoint. Exit code 65: not proven.
`,
    )
    .examples(
      "capstan receipt verify receipt.json --key .capstan/node.pub",
      "capstan log receipt 12 --out receipt.json",
      "capstan log receipt 12 --witnesses 1 --out receipt.json",
      "capstan receipt verify receipt.json --key .capstan/node.pub --witness-key osaka.pub",
      "capstan receipt verify - --key capstan/n-7f3a1b2c+d7271119+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c < receipt.json",
    );
}

interface Flags {
  readonly key: string;
  readonly witnessKey: readonly string[];
}

async function verify(cli: Cli, file: string, { key, witnessKey }: Flags): Promise<void> {
  const keys = await keysOf(cli.io, key, parseVerifierKey);
  const witnesses = (await Promise.all(witnessKey.map((one) => keysOf(cli.io, one, parseWitnessKey)))).flat();
  const { text } = await inputText(cli.io, file === "-" ? file : `@${file}`, "the receipt");
  const verified = await proven(() => verifyReceipt(text, keys, witnesses));
  const signers = signersOf(text, keys);
  cli.printer.data(shownValue(verified, signers), () => shownText(verified, signers));
}

/** @throws FaultError FILE_UNREADABLE, VERIFIER_KEY_INVALID */
async function keysOf<Key>(io: Io, key: string, parse: (text: string) => Key): Promise<readonly Key[]> {
  const isText = KEY_TEXT.test(key);
  const lines = (isText ? key : await fileText(io, key))
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  if (lines.length === 0)
    throw new FaultError(fault("VERIFIER_KEY_INVALID", `${printable(key)} is empty; it should hold a verifier key`));
  return proven(() => lines.map(parse));
}

/** The trusted keys that signed: each of their signatures was verified. */
function signersOf(receipt: string, keys: readonly VerifierKey[]): string[] {
  const { signatures } = openNote((JSON.parse(receipt) as { checkpoint: string }).checkpoint);
  return keys
    .filter((key) => signatures.some(({ name, keyHash }) => name === key.name && keyHash === key.hash))
    .map(({ name, hash }) => `${name} (${hash})`);
}

function shownValue(verified: VerifiedReceipt, signers: readonly string[]) {
  const { entry, header, parts, erased, checkpoint, cosignatures } = verified;
  const { log, size, root, epoch, at } = checkpoint;
  const { b: _b, f: _f, r: _r, t: _t, ...head } = header;
  return {
    entry,
    ...head,
    ...Object.fromEntries(parts.map((part) => [PART_NAMES[part.letter], contentOf(part)])),
    ...(erased.length === 0 ? {} : { notShown: erased.map((letter) => PART_NAMES[letter]) }),
    checkpoint: { log, size, root: Buffer.from(root).toString("base64"), epoch, at, signers },
    ...(cosignatures.length === 0
      ? {}
      : { witnesses: cosignatures.map(({ key, time }) => ({ name: key.name, key: key.keyHash, at: time * 1000 })) }),
  };
}

/** A part's value; the name of its content where that is kept beside the entry. */
function contentOf(part: EntryPart): unknown {
  if (part.kind === "blob") return { content: part.name };
  try {
    return JSON.parse(part.json) as unknown;
  } catch {
    // It is what the node wrote, and proven to be; that it is JSON is not.
    return { text: part.json };
  }
}

function shownText(verified: VerifiedReceipt, signers: readonly string[]): string {
  const { entry, header, parts, erased, checkpoint, cosignatures } = verified;
  const { log, size, epoch, at } = checkpoint;
  const rows = [
    ["message", `${header.message}  ${header.verdict}  ${header.id}`],
    ["by", `${header.principal} under ${header.grant}, to ${header.node}, ${instant(header.at)}`],
    ...(header.cause === undefined ? [] : [["because of", header.cause]]),
    ...parts.map((part) => [PART_NAMES[part.letter], brief(contentOf(part))]),
    ...erased.map((letter) => [PART_NAMES[letter], "not shown: erased, or kept back"]),
    ["signed", `${instant(at)}, epoch ${epoch}, by ${signers.join(", ")}`],
    ...cosignatures.map(({ key, time }) => ["witness", `${instant(time * 1000)}, ${key.name} (${key.keyHash})`]),
  ];
  return `entry ${entry} of ${size} in ${log}: proven\n${columns(rows).replace(/^(?=.)/gm, "  ")}`;
}
