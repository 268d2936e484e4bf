// What the doctor looks at, and in which order. It is loaded where the doctor is asked for: it takes the kernel.

import { statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_LISTEN } from "@capstan/orchestrator/remote";
import packageJson from "../../package.json" with { type: "json" };
import type { Cli } from "../cli.ts";
import { thrownFault } from "../fault/thrown.ts";
import { findTarget, shownPath, type Target } from "../settings/target.ts";
import { clockFindings } from "./clock-findings.ts";
import { configFindings } from "./config-findings.ts";
import { diskFindings } from "./disk-findings.ts";
import { fileFindings, isClosed } from "./file-findings.ts";
import { type Finding, Findings } from "./finding.ts";
import { keyFindings } from "./key-findings.ts";
import { leftoverFindings } from "./leftover-findings.ts";
import { askedLog, storedLog } from "./log-findings.ts";
import { type Health, ownServer, portFindings, serverFindings } from "./server-findings.ts";

export async function examined(cli: Cli, deep: boolean): Promise<readonly Finding[]> {
  const { settings, io } = cli;
  const config = await configFindings(settings, io.cwd);
  // Nothing else can be found without the settings.
  if (config.some(({ state }) => state === "fail")) return config;
  const data = (await settings.text("data")) as string;
  const listen = (await settings.text("listen")) ?? DEFAULT_LISTEN;
  const shown = shownPath(data, io.cwd);
  const files = fileFindings(data, shown);
  if (isClosed(data)) return [...config, ...files];
  const health = await ownServer(data);
  const log = health === undefined ? await storedLog(data, shown, deep) : await askedLog(() => ownTarget(cli), deep);
  const times = { now: Date.now(), lastAt: log.lastAt, checkpointAt: log.checkpointAt, serverAt: health?.at };
  return [
    ...config,
    ...files,
    ...diskOf(data),
    ...clockFindings(times),
    ...log.findings,
    ...(await keyFindings(data, shown, log.keys)),
    ...(await portOf(listen, health)),
    ...serverFindings(health, health?.url ?? listen, packageJson.version),
    ...leftoverFindings(data, shown),
  ];
}

/** The node of the data directory, whatever context is in use. */
function ownTarget({ settings, io }: Cli): Promise<Target> {
  return findTarget(settings.withoutContext(), io.cwd);
}

function diskOf(data: string): readonly Finding[] {
  const bytes = ["log.db", "log.db-wal"].map(
    (name) => statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  try {
    return diskFindings(
      statfsSync(data),
      bytes.reduce((sum, one) => sum + one),
    );
  } catch {
    return []; // the directory is not there, and that is said
  }
}

async function portOf(listen: string, health: Health | undefined): Promise<readonly Finding[]> {
  try {
    return await portFindings(listen, health?.url);
  } catch (thrown) {
    const { message } = thrownFault(thrown);
    return new Findings("port").fail(message, "choose another with --listen").list;
  }
}
