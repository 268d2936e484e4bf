// `capstan peer configure`: what is said changes and all else stays; what is new over there can come as an invitation.

import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import { usageFault } from "../fault/thrown.ts";
import { readInvite } from "../input/invite-file.ts";
import { peerAddress } from "../input/peer-address.ts";
import { putPolicies } from "../input/route-policy.ts";
import type { PeerShown } from "../output/peer-text.ts";
import { shown } from "../output/shown.ts";
import { ask } from "../remote/ask.ts";
import type { Target } from "../settings/target.ts";
import { keepSecret } from "./peer-invitation.ts";
import type { PresentedCall } from "./presentation.ts";

export async function configurePeer(cli: Cli, { name, data, flags, options }: PresentedCall): Promise<void> {
  await putPolicies(cli.io, data, flags);
  if (typeof data.address === "string") data.address = peerAddress(data.address);
  const read = typeof flags.invite === "string" ? await readInvite(cli.io, flags.invite, Date.now()) : undefined;
  const twice = ["keys", "secrets"].find((field) => data[field] !== undefined);
  if (read !== undefined && twice !== undefined)
    throw usageFault(`--invite and --${twice} say the same twice; give one`);
  const target = await cli.target();
  if (read !== undefined) await take(target, String(flags.invite), read.invite, data);
  const answer = (await ask(target, name, data, options)) as { readonly name: string };
  cli.printer.data(answer, () => `configured ${shown(answer.name)}\n`);
}

/** The secret and the key before stay beside the new ones: which of them the other side has by now is not known. */
async function take(
  target: Target,
  path: string,
  { node, key, url, pin, secret }: Awaited<ReturnType<typeof readInvite>>["invite"],
  data: Record<string, unknown>,
): Promise<void> {
  const peer = String(data.name);
  const before = (await ask(target, "peer.show", { name: peer })) as PeerShown;
  if (before.node !== node) {
    const text = `${printable(path)} is of ${printable(node)}, and ${printable(peer)} is ${printable(before.node ?? "nobody yet")}`;
    throw new FaultError(fault("INVITE_INVALID", text));
  }
  const { keys = [], secrets = [] } = before;
  const kept = await keepSecret(target, peer, secret);
  const there = data.address === undefined && pin !== undefined ? { pin } : {};
  const changed = {
    keys: [key, ...keys.filter((one) => one !== key)].slice(0, 2),
    secrets: [kept.secret, ...secrets.filter((one) => one.secret !== kept.secret.secret)].slice(0, 2),
  };
  Object.assign(data, { address: url, ...there, ...data, ...changed });
}
