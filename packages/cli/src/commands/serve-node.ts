// What `capstan serve` does: a node put together out of the settings in force, served until it is told to stop. Standard output has
// the banner (or one JSON line, for whoever starts it); standard error its log.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  type AnyPlugin,
  answerLocally,
  checkMeant,
  createLogger,
  createOrchestrator,
  type IrohOptions,
  type Log,
  memoryLog,
  type Node,
  type NodeLog,
  type Orchestrator,
  openNode,
  openTracer,
  parseAddress,
  parseConfig,
  readNodeSeed,
  readTls,
  type Serving,
  serve,
  sqliteLog,
  systemTimers,
  type TlsFiles,
  tlsFiles,
} from "@capstan/orchestrator";
import { certificatePin, FaultError, fault } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import { reasonOf } from "../input/json-input.ts";
import { type Banner, bannerText } from "../output/banner.ts";
import { logLineText } from "../output/log-line.ts";
import { removeServerFile, type ServerFile, writeServerFile } from "../settings/server-file.ts";
import type { SettingName } from "../settings/setting.ts";
import type { Settings } from "../settings/settings.ts";
import { standardPlugins } from "../settings/standard-plugins.ts";
import { fromHere, shownPath } from "../settings/target.ts";

/** Lines of damage that are told at the start. */
const MOST_DAMAGE = 10;

interface Chosen {
  readonly data: string;
  readonly name: string | undefined;
  readonly memory: boolean;
  readonly listen: string;
  readonly modules: readonly string[];
  readonly public: boolean;
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly httpAllow: readonly string[];
  readonly iroh: string;
  readonly irohRelays: readonly string[];
  readonly otel: string | undefined;
  readonly logLevel: NonNullable<Parameters<typeof createLogger>[0]>["level"];
}

async function chosen(settings: Settings): Promise<Chosen> {
  const get = async (name: Parameters<Settings["get"]>[0]) => (await settings.get(name)).value;
  const values = {
    ...{ data: await get("data"), name: await get("name"), listen: await get("listen"), modules: await get("modules") },
    ...{ public: await get("public"), allowHosts: await get("allowHosts"), allowOrigins: await get("allowOrigins") },
    ...{ tlsCert: await get("tlsCert"), tlsKey: await get("tlsKey"), httpAllow: await get("httpAllow") },
    ...{ iroh: await get("iroh"), irohRelays: await get("irohRelays") },
    ...{ otel: await get("otel"), logLevel: await get("logLevel") },
  };
  const said = Object.entries(values).filter(([, value]) => value !== undefined);
  for (const [name, value] of said) parseSetting(name, value, (await settings.get(name as SettingName)).where);
  return { memory: (await get("memory")) === true, ...Object.fromEntries(said) } as unknown as Chosen;
}

/** @throws FaultError CONFIG_UNKNOWN, named as it was said: `--log-level: "loud" is not one of …` */
function parseSetting(key: string, value: unknown, where = "the settings"): void {
  try {
    parseConfig({ [key]: key === "otel" ? { endpoint: value } : value }, where);
    if (key === "listen" || (key === "iroh" && isAddress(value))) parseAddress(value as string, `${where}: ${key}`);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    // It may hold a collector's password.
    if (key === "otel")
      throw new FaultError(fault(error.code, `${where}: it is no address of a collector, like http://127.0.0.1:4318`));
    if (!/^(--|CAPSTAN_)/.test(where)) throw error;
    throw new FaultError(fault(error.code, error.message.replace(`${where}: ${key}`, where)));
  }
}

/** Until it is told to stop. @throws FaultError */
export async function serveNode(cli: Cli): Promise<void> {
  const { settings, io, printer } = cli;
  for (const warning of settings.unknownVariables()) printer.warn(warning);
  const file = await settings.file();
  const choice = await chosen(settings);
  const { data, modules, memory } = choice;
  const tls = tlsFiles(choice.tlsCert, choice.tlsKey);
  // Before there is a data directory.
  checkMeant(parseAddress(choice.listen), choice.public);
  if (tls !== undefined) readTls(tls, Date.now(), undefined);
  if (file?.config.plugins !== undefined) await warnOfNoEffect(cli);
  const plugins = file?.config.plugins ?? (await standardPlugins(settings, data));
  const node = await openData(data, choice.name, io.cwd);
  const log = createLogger({
    ...(choice.logLevel === undefined ? {} : { level: choice.logLevel }),
    // Whoever starts it as a program, or keeps its log, gets JSON.
    ...(io.terminal.stderr && !printer.json
      ? { destination: { write: (line: string) => io.stderr(logLineText(line)) } }
      : {}),
  });
  io.strays((error) =>
    log.logger.error(
      { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
      "nobody caught an error; an action's code is likely",
    ),
  );
  const orchestrator = await createOrchestrator({
    plugins: plugins as readonly AnyPlugin[] as never,
    log: memory ? memoryLog() : openLog(cli, join(data, "log.db")),
    node,
    signer: node.signer,
    logger: log.logger,
    onDecided: log.observe,
    tracer: await openTracer({
      ...{ environment: io.env, node, logger: log.logger },
      ...(choice.otel === undefined ? {} : { config: { endpoint: choice.otel } }),
    }),
  });
  const serving = await listen(orchestrator, choice, log, { limits: file?.config.limits, tls });
  const certificate =
    tls === undefined ? {} : { certificate: tls.cert, pin: certificatePin(readFileSync(tls.cert, "utf8")) };
  const iroh = await serving.iroh;
  const here: ServerFile = {
    ...{ url: fromHere(serving.url), pid: process.pid, node: node.id, modules },
    ...certificate,
    ...(iroh === undefined ? {} : { iroh }),
  };
  const stopAnswering = await answerRequests(orchestrator as Orchestrator, data, log);
  try {
    writeServerFile(data, here);
    const banner = { ...bannerOf(orchestrator as Orchestrator, serving, node, choice, io.cwd), iroh };
    printer.data(banner, () => bannerText(banner));
    await io.stopped();
    log.logger.info({ node: node.id }, "stopping");
  } finally {
    removeServerFile(data, here);
    await stopAnswering();
    await serving.stop();
    log.logger.info({ node: node.id }, "stopped");
    await log.flush();
  }
}

/** A damaged log is served as far as it is whole, and nobody may overlook that it is. */
function openLog({ printer }: Cli, path: string): Log {
  const log = sqliteLog(path, { warn: (text) => printer.warn(text) });
  if (log.damage === undefined) return log;
  const { damaged, whole } = log.damage;
  printer.warn(`THE LOG ${path} IS DAMAGED AND IS ONLY READ: every command is refused`);
  for (const line of damaged.slice(0, MOST_DAMAGE)) printer.warn(`damaged: ${line}`);
  if (damaged.length > MOST_DAMAGE)
    printer.warn(`and ${damaged.length - MOST_DAMAGE} more: capstan log verify ${path}`);
  printer.warn(`whole: ${whole}`);
  printer.warn(
    `stop this and restore a backup (capstan restore BACKUP), or save what is whole (capstan log salvage ${path} --out NEW)`,
  );
  return log;
}

/** Whoever has the node's files can ask for what no scope offers: a new credential for the administrator. */
async function answerRequests(orchestrator: Orchestrator, directory: string, { logger }: NodeLog) {
  const { localRequests } = await import("@capstan/plugins");
  return answerLocally({
    ...{ orchestrator, directory, requests: localRequests, timers: systemTimers, now: Date.now, logger },
  });
}

/** What is said for plugins that the configuration has of its own, or does not have. */
async function warnOfNoEffect({ settings, printer }: Cli): Promise<void> {
  const instead = { modules: "module({ directories })", httpAllow: "http({ allow })" } as const;
  for (const [name, say] of Object.entries(instead)) {
    if ((await settings.get(name as SettingName)).source === "default") continue;
    printer.warn(`${name} has no effect where the configuration has plugins of its own; say ${say} there`);
  }
}

async function openData(directory: string, name: string | undefined, cwd: string): Promise<Node> {
  try {
    return await openNode({ directory, ...(name === undefined ? {} : { name }) });
  } catch (error) {
    if (error instanceof FaultError || (error as { syscall?: string }).syscall === undefined) throw error;
    throw new FaultError(
      fault("FILE_UNWRITABLE", `${shownPath(directory, cwd)} cannot be the data directory: ${reasonOf(error)}`),
    );
  }
}

async function listen(
  orchestrator: Pick<Orchestrator, "stop">,
  choice: Chosen,
  { logger }: NodeLog,
  { limits, tls }: { readonly limits: object | undefined; readonly tls: TlsFiles | undefined },
): Promise<Serving> {
  let serving: Serving;
  try {
    serving = serve(orchestrator as Orchestrator, {
      listen: choice.listen,
      public: choice.public,
      allowHosts: choice.allowHosts,
      allowOrigins: choice.allowOrigins,
      ...{ logger, tls, iroh: irohOf(choice) },
      ...(limits === undefined ? {} : { limits }),
    });
  } catch (error) {
    await orchestrator.stop();
    throw error;
  }
  try {
    await serving.iroh;
  } catch (error) {
    await serving.stop();
    throw error;
  }
  return serving;
}

/** Off, where the node listens for HTTP, or at an address of its own. */
function irohOf({ iroh, irohRelays: relays, data }: Chosen): IrohOptions | undefined {
  if (OFF.test(iroh)) return undefined;
  return { secretKey: readNodeSeed(data), listen: isAddress(iroh) ? iroh : undefined, relays };
}

const OFF = /^(0|false|no|off)$/i;
const ON = /^(1|true|yes|on)$/i;

function isAddress(iroh: unknown): iroh is string {
  return typeof iroh === "string" && !OFF.test(iroh) && !ON.test(iroh);
}

function bannerOf(
  orchestrator: Orchestrator,
  serving: Serving,
  node: Node,
  { data, memory }: Chosen,
  cwd: string,
): Banner {
  return {
    node: node.id,
    name: node.name,
    data: shownPath(data, cwd),
    log: memory ? "memory" : "log.db",
    entries: orchestrator.committer.durable,
    files: ["node.key", ...adminToken(data)],
    // The kernel is no plugin that anyone chose.
    pipeline: orchestrator.composition.plugins.map(({ name }) => name).filter((name) => name !== "kernel"),
    url: serving.url,
    paths: serving.paths,
    pid: process.pid,
  };
}

function adminToken(data: string): string[] {
  const mode = statSync(join(data, "admin.token"), { throwIfNoEntry: false })?.mode;
  return mode === undefined ? [] : [`admin.token 0${(mode & 0o777).toString(8)}`];
}
