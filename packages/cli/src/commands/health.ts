// `capstan health`: whether the node takes work, for whatever looks after it (a container's health check, a load balancer's
// script). It asks without a credential, prints one line, and ends with 0 or 69.

import { health as healthOf } from "@capstan/orchestrator/client";
import { irohDial, isIrohUrl } from "@capstan/orchestrator/iroh";
import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { exitCodes } from "../fault/exit-codes.ts";
import { isHidden, readServerFile } from "../settings/server-file.ts";
import { serverAt, shownPath, trustSaidIn, urlSaid } from "../settings/target.ts";
import { directly } from "../settings/this-machine.ts";
import { type Trust, tlsTo, trustOf } from "../settings/trust.ts";

const LONGEST_MS = 2000;

interface Asked {
  readonly url: string;
  readonly trust: Trust | undefined;
}

interface Readiness {
  readonly ready: boolean;
  /** Where it is not. */
  readonly why?: string;
}

export function healthCommand(program: Command, cli: Cli): void {
  program
    .command("health")
    .description("Tell whether the node takes work; needs no credential.")
    .action(() => health(cli))
    .addHelpText(
      "after",
      `
Asks the node of the data directory, or the one that --url names. Ends with 0 where it takes work, else with 69.
`,
    )
    .examples("capstan health", "capstan health --data /var/lib/capstan");
}

async function health(cli: Cli): Promise<void> {
  const asked = await whom(cli);
  const { ready, why } = await readiness(asked);
  cli.printer.data({ url: asked.url, ready, ...(why === undefined ? {} : { why }) }, () =>
    ready ? `ready  ${asked.url}\n` : `not ready  ${asked.url}: ${printable(why ?? "it does not say why")}\n`,
  );
  if (!ready) cli.exitCode = exitCodes.unavailable;
}

/** @throws FaultError UNREACHABLE, USAGE_INVALID, FILE_UNREADABLE, IROH_ADDRESS_INVALID */
async function whom({ settings, io }: Cli): Promise<Asked> {
  const url = await urlSaid(settings);
  const trust = await trustSaidIn(settings);
  const data = (await settings.text("data")) as string;
  const server = readServerFile(data);
  if (url !== undefined) {
    return { url: serverAt(url, server).url, trust };
  }
  if (server !== undefined) return { url: server.url, trust: trustOf(server) };
  const named = shownPath(data, io.cwd);
  const why = isHidden(data)
    ? `${named} is not for this user to read, so that nobody tells where its server is: name that with --url`
    : `no server runs on ${named}: start one with capstan serve, name its directory with --data, or name one elsewhere with --url`;
  throw new FaultError(fault("UNREACHABLE", why));
}

/** @throws FaultError UNREACHABLE, CERTIFICATE_PIN_REFUSED */
async function readiness({ url, trust }: Asked): Promise<Readiness> {
  try {
    if (isIrohUrl(url)) return await healthOf({ url, dial: irohDial({ timeoutMs: LONGEST_MS }) });
    const response = await fetch(`${url}/readyz`, {
      redirect: "manual",
      signal: AbortSignal.timeout(LONGEST_MS),
      ...directly(url),
      ...(await tlsTo(url, trust)),
    } as RequestInit);
    const { ready, why } = (await response.json()) as Partial<Readiness>;
    if (typeof ready === "boolean") return typeof why === "string" ? { ready, why } : { ready };
  } catch (thrown) {
    if (thrown instanceof FaultError && thrown.code === "CERTIFICATE_PIN_REFUSED") throw thrown;
    // Whatever else it was, nobody answered as a node does.
  }
  throw new FaultError(fault("UNREACHABLE", `no node answers at ${printable(url)}`));
}
