// How it is with a peer, and which way a route goes, in words. What a node answers is read as it may be: another version's.

import { columns, instant } from "./columns.ts";
import { count } from "./count.ts";
import { spanText } from "./progress.ts";
import { shown, shownName } from "./shown.ts";

/** As `peer.list` and `peer.show` answer. */
export interface PeerStatus {
  readonly name: string;
  /** Not of one that is only invited. */
  readonly node?: string;
  readonly domain?: string;
  readonly address?: string;
  /** `established`, `invited`, `stopping`, `stopped`, or a state of RFC 4271 §8.2.2. */
  readonly state: string;
  readonly since?: number;
  /** Routes that it announced, those that were filtered among them. */
  readonly in?: number;
  readonly filtered?: number;
  /** Routes that it was told of. */
  readonly out?: number;
  /** Both tables went over whole. */
  readonly complete?: boolean;
  /** Of the last session's end, or why there is none. */
  readonly reason?: string;
  readonly reasonAt?: number;
  readonly retryAt?: number;
  /** Of one that is being stopped: what is performed between the two, and when it is waited for no more. */
  readonly stopping?: { readonly until?: number; readonly inFlight?: number };
  readonly invite?: { readonly expires: number };
  readonly grant?: string;
  /** Clauses that it has by its configuration, and its grant has not. */
  readonly lacks?: readonly string[];
  /** Its log, as this node witnesses it (docs/witnesses.md). */
  readonly log?: { readonly state?: string; readonly size?: number; readonly entry?: number; readonly why?: string };
}

export interface PeerShown extends PeerStatus {
  readonly keys?: readonly string[];
  readonly secrets?: readonly { readonly secret: string }[];
  readonly allow?: readonly string[];
  readonly import?: Policy;
  readonly export?: Policy;
  readonly disclose?: string;
  readonly heard?: Digested;
  readonly told?: Digested;
  /** Performings of it that are not over. */
  readonly calls?: number;
}

/** How much it is told of what becomes of its messages here. */
const DISCLOSED: Readonly<Record<string, string>> = {
  nothing: "is told nothing",
  outcome: "is told the code, and which plugin",
  clauses: "is told clauses and texts",
};

/** The updates of the session so far: to which number, and their digest. */
interface Digested {
  readonly seq: number;
  readonly digest: string;
}

/** What every peer may. */
const EVERY_PEER = /^(peer|witness)\.|^action\.recall$/;

/** A peer's clauses that are its own. */
export function peerClauses(allow: readonly string[]): string {
  return allow.filter((clause) => !EVERY_PEER.test(clause)).join(", ") || `nothing but ${EVERYBODYS}`;
}

export const EVERYBODYS = "what every peer may";

interface Policy {
  readonly clauses: readonly {
    readonly name: string;
    readonly then: string;
    readonly match?: Readonly<Record<string, unknown>>;
    readonly unowned?: boolean;
  }[];
}

/** `established berlin n-7f3a   in 1 (0 filtered)   out 2` */
export function establishedText(status: PeerStatus): string {
  return `${shown(status.state)} ${shown(status.name)} ${shown(status.node ?? "")}   ${tableText(status)}\n`;
}

function tableText({ in: received = 0, filtered = 0, out = 0 }: PeerStatus): string {
  return `in ${count(received)} (${count(filtered)} filtered)   out ${count(out)}`;
}

export function peerList(items: readonly PeerStatus[], now: number): string {
  return columns(
    items.map((one) => [
      ...[one.name, one.node ?? "", otherDomain(one) ?? "", one.state],
      one.state === "established" ? `in ${count(one.in ?? 0)} (${count(one.filtered ?? 0)} filtered)` : "",
      one.state === "established" ? `out ${count(one.out ?? 0)}` : "",
      one.state === "established" ? sinceText(one, now) : whyText(one, now),
      [one.log === undefined ? "" : `its log: ${logText(one.log)}`, outdatedText(one)].filter(Boolean).join("; "),
    ]),
  );
}

export function peerText(peer: PeerShown, now: number): string {
  const { name, node = "", address, keys = [], grant, allow = [] } = peer;
  const domain = otherDomain(peer);
  return columns([
    ["peer", `${name}  ${node}${domain === undefined ? "" : `  of domain ${domain}`}`],
    [
      "state",
      [peer.state, peer.state === "established" ? sinceText(peer, now) : "", stoppingText(peer)]
        .filter(Boolean)
        .join(" "),
    ],
    ["routes", tableText(peer)],
    ...(peer.calls ? [["calls", `${count(peer.calls)} of it are not over`]] : []),
    ...(peer.reason === undefined ? [] : [["last", `${peer.reason}${at(peer.reasonAt)}`]]),
    ...(peer.state !== "established" && peer.retryAt !== undefined ? [["again", instant(peer.retryAt)]] : []),
    ...(peer.invite === undefined ? [] : [["invited", inviteText(peer.invite.expires, now)]]),
    ...(peer.log === undefined || peer.log.state === "nothing" ? [] : [["log", logText(peer.log)]]),
    ...said("heard", peer.heard),
    ...said("told", peer.told),
    ["address", address ?? "none: it dials this node"],
    ...keys.map((key) => ["key", key]),
    ...(peer.secrets ?? []).map(({ secret }) => ["secret", secret]),
    ["import", policyText(peer.import)],
    ["export", policyText(peer.export)],
    ...(peer.disclose === undefined ? [] : [["explain", DISCLOSED[peer.disclose] ?? peer.disclose]]),
    ["may", `${grant === undefined ? "" : `${grant}  `}${peerClauses(allow)}`],
    ...(peer.lacks === undefined || peer.lacks.length === 0
      ? []
      : [["lacks", `${peer.lacks.join(", ")}: its grant is of an earlier version; capstan peer configure ${name}`]]),
  ]);
}

function stoppingText({ stopping }: PeerStatus): string {
  if (stopping === undefined) return "";
  const { until, inFlight = 0 } = stopping;
  return `${count(inFlight)} in flight${until === undefined ? "" : `, until ${instant(until)}`}`;
}

function outdatedText({ lacks = [] }: PeerStatus): string {
  return lacks.length === 0 ? "" : "outdated grant: capstan peer show says what to do";
}

function logText({ state = "", size, entry, why }: NonNullable<PeerStatus["log"]>): string {
  const at = entry === undefined ? "" : ` at entry ${entry}`;
  if (state === "cosigned" && size !== undefined) return `cosigned to entry ${size}`;
  return `${state}${at}${why === undefined ? "" : `: ${why}`}`;
}

function said(direction: string, digested: Digested | undefined): string[][] {
  return digested === undefined ? [] : [[direction, `updates to ${digested.seq}  ${digested.digest}`]];
}

/** A node of its own is a domain of that name. */
function otherDomain({ node, domain }: PeerStatus): string | undefined {
  return domain === node ? undefined : domain;
}

function sinceText({ since }: PeerStatus, now: number): string {
  return since === undefined ? "" : `for ${spanText(Math.max(0, now - since) / 1000)}`;
}

function whyText(peer: PeerStatus, now: number): string {
  const { reason, invite, stopping } = peer;
  if (stopping !== undefined) return stoppingText(peer);
  return invite === undefined ? (reason ?? "") : inviteText(invite.expires, now);
}

function inviteText(expires: number, now: number): string {
  return expires > now ? `until ${instant(expires)}` : `expired ${instant(expires)}: remove it, and invite anew`;
}

function at(when: number | undefined): string {
  return when === undefined ? "" : `  ${instant(when)}`;
}

/** `accept action:greet, action:report.*; reject *` */
function policyText(policy: Policy | undefined): string {
  const clauses = policy?.clauses ?? [];
  const texts = clauses.map(({ then, match, unowned }) => {
    const { routes, ...others } = match ?? {};
    const names = Array.isArray(routes) ? routes.join(", ") : "*";
    const more =
      Object.keys(others).length === 0
        ? ""
        : ` where ${Object.entries(others)
            .map(([key, value]) => `${key} ${Array.isArray(value) ? value.join("|") : String(value)}`)
            .join(", ")}`;
    return `${then} ${names}${more}${unowned === true ? " (also what nobody owns)" : ""}`;
  });
  return texts.join("; ") || "nothing";
}

/** As `route.list` and `route.show` answer. */
export interface RoutePath {
  readonly route?: string;
  /** Our name for the peer; our own route has none. */
  readonly peer?: string;
  readonly path?: readonly string[];
  readonly origin?: string;
  readonly originDomain?: string;
  readonly digest?: string;
  readonly localPreference?: number;
  readonly tags?: readonly string[];
  readonly stale?: boolean;
  readonly filtered?: { readonly why: string; readonly by: string };
  readonly best?: boolean;
}

export function routeList(items: readonly RoutePath[]): string {
  return columns(items.map((one) => [shownName(one.route ?? ""), via(one), pathText(one), remarks(one)]));
}

export function routeText({ route, paths }: { readonly route: string; readonly paths: readonly RoutePath[] }): string {
  const kindless = route.includes(":") ? "" : `; the route of an action is action:${shownName(route)}`;
  if (paths.length === 0) return `${shownName(route)}  no way to it${kindless}\n`;
  const rows = paths.map((one, index) => {
    const rank = one.filtered !== undefined ? "-" : one.best === true || index === 0 ? "best" : String(index + 1);
    return [rank, via(one), pathText(one), `origin ${one.origin ?? ""}`, preference(one), remarks(one)];
  });
  return `${shownName(route)}\n${columns(rows).replace(/^(?=.)/gm, "  ")}`;
}

function via({ peer }: RoutePath): string {
  return peer === undefined ? "here" : `via ${peer}`;
}

function pathText({ path = [] }: RoutePath): string {
  return path.join(" ");
}

function preference({ localPreference }: RoutePath): string {
  return localPreference === undefined || localPreference === 100 ? "" : `preference ${localPreference}`;
}

function remarks({ tags = [], stale, filtered }: RoutePath): string {
  return [
    tags.length === 0 ? "" : `tags ${tags.join(" ")}`,
    stale === true ? "stale" : "",
    filtered === undefined ? "" : `filtered: ${filteredText(filtered)}`,
  ]
    .filter(Boolean)
    .join("   ");
}

/** The reason's name, as docs/peering.md lists it, and by what. */
function filteredText({ why, by }: NonNullable<RoutePath["filtered"]>): string {
  switch (why) {
    case "import-policy":
      return `${why}, ${by === "default" ? "no clause accepts it" : `clause "${by}"`}`;
    case "not-the-owner":
      return `${why}, which is ${by}`;
    case "loop":
      return `${why}, ${by} is in its path`;
    case "path-too-long":
      return `${why}, the limit is ${by}`;
    default:
      return by === "" ? why : `${why}, ${by}`;
  }
}
