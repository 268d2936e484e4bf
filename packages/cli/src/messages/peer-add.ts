// `capstan peer add`: what an invitation says becomes a peer's configuration, and the command waits until the two have met.

import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import { usageFault } from "../fault/thrown.ts";
import { duration } from "../input/duration.ts";
import { type Invite, readInvite } from "../input/invite-file.ts";
import { peerAddress } from "../input/peer-address.ts";
import { NOTHING, nothingPasses, putPolicies } from "../input/route-policy.ts";
import { establishedText } from "../output/peer-text.ts";
import { shown } from "../output/shown.ts";
import { ask } from "../remote/ask.ts";
import type { Target } from "../settings/target.ts";
import { establishedWithin } from "./peer-established.ts";
import { type Identity, keepSecret } from "./peer-invitation.ts";
import type { PresentedCall } from "./presentation.ts";

/** Until it is said that there is no session yet. */
const WAIT_MS = 20_000;
/** The invitation says them. */
const INVITED = ["node", "keys", "secrets"];

export async function addPeer(cli: Cli, call: PresentedCall): Promise<void> {
  const { name, data, flags } = call;
  const { wait, key } = flags as Readonly<Record<string, string | undefined>>;
  const waited = wait === undefined ? WAIT_MS : duration(wait, "--wait");
  await putPolicies(cli.io, data, flags, NOTHING);
  if (typeof data.address === "string") data.address = peerAddress(data.address);
  const read = typeof flags.invite === "string" ? await inviteIn(cli, flags.invite, data) : undefined;
  const target = await cli.target();
  const domain = read === undefined ? undefined : await take(target, read, data);
  const added = (await ask(target, name, data, key === undefined ? undefined : { key })) as { readonly name: string };
  if (waited === 0) {
    cli.printer.data(added, () => `added ${shown(added.name)}\n`);
    cli.printer.note(`  it is being tried: capstan peer show ${shown(added.name)}`);
    return;
  }
  const status = await establishedWithin(cli, target, added.name, waited);
  cli.printer.data(status, () => establishedText(status));
  const nothing = data.domain !== undefined && data.domain === domain ? undefined : nothingPasses(data);
  if (nothing !== undefined) cli.printer.note(`  ${nothing}`);
}

interface Read {
  readonly path: string;
  readonly invite: Invite;
}

/** @throws FaultError USAGE_INVALID, FILE_UNREADABLE, INVITE_INVALID */
async function inviteIn(cli: Cli, path: string, data: Readonly<Record<string, unknown>>): Promise<Read> {
  const twice = INVITED.find((field) => data[field] !== undefined);
  if (twice !== undefined) throw usageFault(`--invite and --${twice} say the same twice; give one`);
  const { invite, exposed } = await readInvite(cli.io, path, Date.now());
  if (exposed)
    cli.printer.warn(`${path} can be read by others on this machine: whoever has it can come in this node's place`);
  return { path, invite };
}

/** What is said on the command line wins over what the invitation says. @returns this node's domain @throws FaultError */
async function take(target: Target, { path, invite }: Read, data: Record<string, unknown>): Promise<string> {
  const { node, key, url, domain, pin, secret } = invite;
  const identity = (await ask(target, "peer.identity")) as Identity;
  if (identity.node === node) {
    const text = `${printable(path)} is this node's own invitation: the other one adds it`;
    throw new FaultError(fault("INVITE_INVALID", text));
  }
  // Inside a domain everything passes that nobody rejects: that is for this side to say, and for nobody's file.
  if (data.domain === undefined && domain === identity.domain) {
    const text = `${printable(path)} is of this node's own domain, ${printable(domain)}; if that is meant, say --domain ${printable(domain)}`;
    throw new FaultError(fault("INVITE_INVALID", text));
  }
  const kept = await keepSecret(target, String(data.name), secret);
  // Where another address was said, the certificate may be another.
  const there = data.address === undefined && pin !== undefined ? { pin } : {};
  Object.assign(data, { domain, address: url, ...there, ...data, node, keys: [key], secrets: [kept.secret] });
  return identity.domain;
}
