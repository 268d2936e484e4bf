// `capstan peer invite`: a file for another node to come with; or, with `--renew`, for one that is a peer already, with another
// secret and whatever else is new.

import type { Cli } from "../cli.ts";
import { usageFault } from "../fault/thrown.ts";
import { NOTHING, nothingPasses, putPolicies } from "../input/route-policy.ts";
import type { PeerShown } from "../output/peer-text.ts";
import { shown } from "../output/shown.ts";
import { ask } from "../remote/ask.ts";
import { contents, invitationSaid, prepareInvitation, spanOf, tellOf, writeIfTaken } from "./peer-invitation.ts";
import type { PresentedCall } from "./presentation.ts";

export async function invitePeer(cli: Cli, call: PresentedCall): Promise<void> {
  const { name, data, flags, options } = call;
  if (flags.renew === true) return renew(cli, call);
  await putPolicies(cli.io, data, flags, NOTHING);
  const said = invitationSaid(flags, Date.now());
  const target = await cli.target();
  const invitation = await prepareInvitation(cli, target, String(data.name), said);
  const { invite, kept, expires } = invitation;
  const asked = { ...data, secrets: [kept.secret], secretId: kept.id, expires };
  const answer = await writeIfTaken<{ name: string; grant: string }>(invitation, ask(target, name, asked, options));
  const { url, node, pin } = invite;
  const told = { name: answer.name, grant: answer.grant, file: flags.out, url, node, expires: invite.expires };
  cli.printer.data(
    { ...told, ...(pin === undefined ? {} : { pin }) },
    () => `wrote ${shown(String(flags.out))} (0600: ${contents(invitation)}; once, ${spanOf(invitation)})\n`,
  );
  tellOf(cli, invitation, flags.address !== undefined);
  // Inside a domain everything passes that no clause rejects.
  const nothing = data.domain === invite.domain ? undefined : nothingPasses(data);
  if (nothing !== undefined) cli.printer.note(`  ${nothing}`);
}

/** Both secrets are good until the other side has the new one too: nothing is interrupted for longer than it takes to prove it. */
async function renew(cli: Cli, { data, flags, options }: PresentedCall): Promise<void> {
  const peer = String(data.name);
  const more = [...Object.keys(data), ...["import", "export"].filter((flag) => flags[flag] !== undefined)];
  const other = more.find((field) => field !== "name");
  if (other !== undefined) throw usageFault(`--renew changes no ${other}: use peer configure for it`);
  const said = invitationSaid(flags, Date.now());
  const target = await cli.target();
  const { secrets = [], state } = (await ask(target, "peer.show", { name: peer })) as PeerShown;
  if (state === "invited")
    throw usageFault(`--renew: nobody has come with ${peer}'s invitation yet; use peer remove, and invite again`);
  const invitation = await prepareInvitation(cli, target, peer, said);
  const asked = { name: peer, secrets: [invitation.kept.secret, ...secrets.slice(0, 1)] };
  await writeIfTaken(invitation, ask(target, "peer.configure", asked, options));
  const { url, node, expires } = invitation.invite;
  cli.printer.data({ name: peer, file: flags.out, url, node, expires }, () => {
    const out = shown(String(flags.out));
    return `wrote ${out} (0600: ${contents(invitation)}; ${spanOf(invitation)}); the secret before is good until the next\n`;
  });
  tellOf(cli, invitation, flags.address !== undefined);
  cli.printer.note(`  over there: capstan peer configure NAME --invite ${shown(String(flags.out))}`);
}
