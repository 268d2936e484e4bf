// An invitation on its way: what is in it, the secret handed to the node by a message that is never logged, and the file, which is
// there only if the node took what belongs to it.

import { randomBytes } from "node:crypto";
import { FaultError, isPin } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import { answerFault, usageFault } from "../fault/thrown.ts";
import { instantOf } from "../input/duration.ts";
import { type Invite, type NewInvite, newInvite } from "../input/invite-file.ts";
import { peerAddress } from "../input/peer-address.ts";
import { instant } from "../output/columns.ts";
import { spanText } from "../output/progress.ts";
import { ask } from "../remote/ask.ts";
import { servedPin } from "../remote/served-certificate.ts";
import type { Target } from "../settings/target.ts";
import { isLocal } from "../settings/this-machine.ts";

/** As `peer.identity` answers. */
export interface Identity {
  readonly node: string;
  readonly name: string;
  readonly domain: string;
  readonly key: string;
}

interface Kept {
  /** What stands for it in messages. */
  readonly secret: { readonly secret: string };
  /** What both sides call it on the wire. */
  readonly id: string;
}

export interface Invitation {
  readonly invite: Invite;
  readonly kept: Kept;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  /** Milliseconds that it was asked for: what has passed until it is told of does not count. */
  readonly span: number;
  readonly file: NewInvite;
}

const NO_PIN = "none";
/** The node may have done it all the same: then its row and the file belong together. */
const UNSURE = ["UNREACHABLE", "INTERNAL"];

/** What the flags say of it. */
interface Said {
  readonly out: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  readonly span: number;
  readonly address: string | undefined;
  readonly pin: string | undefined;
}

/** @throws FaultError USAGE_INVALID */
export function invitationSaid(flags: Readonly<Record<string, unknown>>, now: number): Said {
  const { expires: until = "1h", address, pin } = flags as Readonly<Record<string, string | undefined>>;
  if (pin !== undefined && pin !== NO_PIN && !isPin(pin))
    throw usageFault(`--pin "${pin}" is no pin, like sha256-…; ${NO_PIN} says that nothing is pinned`);
  const expires = instantOf(until, "--expires", now);
  if (expires <= now) throw usageFault(`--expires "${until}" is over already`);
  const to = address === undefined ? undefined : peerAddress(address);
  return { out: String(flags.out), expires, span: expires - now, address: to, pin };
}

/** Makes the file, and gives the node the secret. @throws FaultError */
export async function prepareInvitation(
  { io }: Cli,
  target: Target,
  peer: string,
  { out, expires, span, address, pin: said }: Said,
): Promise<Invitation> {
  const url = address ?? target.url;
  const { node, name, domain, key } = (await ask(target, "peer.identity")) as Identity;
  const pin = said === undefined ? await pinAt(target, url) : said === NO_PIN ? undefined : said;
  const secret = randomBytes(32).toString("base64url");
  const invite: Invite = {
    ...{ url, ...(pin === undefined ? {} : { pin }), node, name, domain, key },
    ...{ secret, expires: new Date(expires).toISOString() },
  };
  const file = await newInvite(io, out);
  try {
    return { invite, kept: await keepSecret(target, peer, secret), expires, span, file };
  } catch (thrown) {
    await file.remove();
    throw thrown;
  }
}

/** Writes the file if the node takes what belongs to it. @throws FaultError what it refused with */
export async function writeIfTaken<T>({ invite, file }: Invitation, taken: Promise<unknown>): Promise<T> {
  let answer: T;
  try {
    answer = (await taken) as T;
  } catch (thrown) {
    if (thrown instanceof FaultError && !UNSURE.includes(thrown.code)) await file.remove();
    else await file.write(invite);
    throw thrown;
  }
  await file.write(invite);
  return answer;
}

/** The secret of two nodes, on its way to one of them: a signal, which no log has. @throws FaultError */
export async function keepSecret(target: Target, peer: string, secret: string): Promise<Kept> {
  const kept = (await ask(target, "peer.keep", { name: peer, secret })) as Kept | null;
  if (typeof kept?.secret?.secret !== "string" || typeof kept.id !== "string")
    throw answerFault("peer.keep", "does not say what stands for the secret");
  return kept;
}

/** Of the certificate that the node itself serves there. Another one, of what stands before it, is said by `--pin`. */
async function pinAt(target: Target, url: string): Promise<string | undefined> {
  if (!url.startsWith("https:") || !target.url.startsWith("https:")) return undefined;
  return servedPin(target);
}

/** `url, node id, certificate pin, pair secret` */
export function contents({ invite: { pin } }: Invitation): string {
  return ["url", "node id", ...(pin === undefined ? [] : ["certificate pin"]), "pair secret"].join(", ");
}

/** What may be otherwise than whoever carries the file thinks. */
export function tellOf({ printer }: Cli, { invite: { url, pin } }: Invitation, isAddressSaid: boolean): void {
  const here = /^https?:/.test(url) && isLocal(url);
  if (url.startsWith("http:") && !here) {
    const why = "whoever is between the two reads what they say, and can change it; see serve --tls-cert";
    printer.warn(`${url} is plain text: ${why}`);
  }
  if (url.startsWith("https:") && pin === undefined)
    printer.warn("no certificate is pinned: the other node has to trust it as its machine trusts any other");
  if (!isAddressSaid && here) printer.note(`  ${url} is reached on this machine alone; elsewhere it needs --address`);
}

/** `1 h`; a date from a day on. */
export function spanOf({ expires, span }: Invitation): string {
  if (span > 86_400_000) return `until ${instant(expires)}`;
  return spanText(Math.round(span / 1000)).replace(/ 0 (s|min)$/, "");
}
