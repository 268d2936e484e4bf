// A disk that fails when it is told to, mounted: `disk-process.ts --platter DIR --mount DIR [--seed N]`, as root, on Linux. It speaks
// FUSE on /dev/fuse by itself. Commands come on stdin and answers go to stdout, a line of JSON each (fault-disk.ts); when stdin ends
// it unmounts. One loop over both, without a queue of its own, so that the order of its reports is the order of the operations.

import { dlopen, FFIType, ptr } from "bun:ffi";
import { openSync, readFileSync, readSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { Disk, DiskError } from "./disk.ts";
import type { Command, Line, Reported } from "./fault-disk.ts";
import { FaultRule } from "./fault-rule.ts";
import {
  answerOf,
  attrOut,
  direntOut,
  entryOut,
  errorOf,
  initOut,
  OP,
  openOut,
  REQUEST_BYTES,
  Request,
  statfsOut,
  writeOut,
} from "./fuse-protocol.ts";

const { values } = parseArgs({
  options: { platter: { type: "string" }, mount: { type: "string" }, seed: { type: "string", default: "1" } },
});
const { platter, mount } = values;
if (platter === undefined || mount === undefined) throw new Error("usage: disk-process.ts --platter DIR --mount DIR");

const { symbols: libc } = dlopen("libc.so.6", {
  mount: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u64, FFIType.ptr], returns: FFIType.i32 },
  umount2: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
  poll: { args: [FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
});
const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const NOSUID_NODEV_NOEXEC = 14;
const DETACH = 2;
const POLLIN = 1;
const NOTHING = Buffer.alloc(0);
const SIGKILL_PENDING = 1n << 8n;

const events: Reported[] = [];
let reporting = false;
let count = 0;
const disk = new Disk(platter, Number(values.seed), (operation, path, fact) => {
  count++;
  if (reporting) events.push({ nth: count, operation, path, ...fact });
  if (fact.error !== undefined) failed++;
});
/** Operations that the fault failed since it was set. */
let failed = 0;
let hold: RegExp | undefined;
/** Flushes that wait to be released, oldest first. */
let held: { readonly unique: bigint; readonly node: number; readonly pid: number }[] = [];

const device = openSync("/dev/fuse", "r+");
const options = `fd=${device},rootmode=40000,user_id=0,group_id=0,allow_other`;
if (
  libc.mount(
    ptr(text("capstan-faults")),
    ptr(text(mount)),
    ptr(text("fuse.capstan-faults")),
    NOSUID_NODEV_NOEXEC,
    ptr(text(options)),
  ) !== 0
) {
  say({ refused: "mount(2) is not permitted" });
  process.exit(1);
}
say({ mounted: true });
serve();

function serve(): void {
  const buffer = Buffer.alloc(REQUEST_BYTES);
  const polled = new Int32Array([device, POLLIN, 0, POLLIN]);
  const revents = (at: number): number => (polled[at * 2 + 1] as number) >>> 16;
  let rest = "";
  for (;;) {
    polled[1] = POLLIN;
    polled[3] = POLLIN;
    libc.poll(ptr(polled), 2, -1);
    if (revents(1) !== 0) {
      const size = readSync(0, buffer);
      if (size === 0) unmount();
      const lines = (rest + buffer.toString("utf8", 0, size)).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) obey(JSON.parse(line) as Command);
    }
    if (revents(0) === 0) continue;
    try {
      const size = readSync(device, buffer);
      reply(new Request(buffer.subarray(0, size)));
    } catch (thrown) {
      const { code } = thrown as { code?: string };
      // ENOENT: whoever asked was killed meanwhile.
      if (code === "ENODEV") unmount();
      if (code !== "ENOENT" && code !== "EINTR" && code !== "EAGAIN") throw thrown;
    }
  }
}

function unmount(): never {
  libc.umount2(ptr(text(mount as string)), DETACH);
  process.exit(0);
}

function reply(request: Request): void {
  try {
    const body = handle(request);
    if (body !== undefined) send(answerOf(request.unique, body));
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    send(errorOf(request.unique, thrown.errno));
  }
}

function send(answer: Buffer): void {
  try {
    writeSync(device, answer);
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== "ENOENT") throw thrown;
  }
}

/** The body of the answer; `undefined` where there is none, or not yet. */
function handle(request: Request): Buffer | undefined {
  const { opcode, node } = request;
  switch (opcode) {
    case OP.INIT:
      return initOut();
    case OP.LOOKUP:
      return entryOut(disk.lookup(node, request.names(0)[0] as string));
    case OP.FORGET:
    case OP.BATCH_FORGET:
      return undefined;
    case OP.GETATTR:
      return attrOut(disk.attributes(node));
    case OP.SETATTR:
      return attrOut(disk.change(node, changesOf(request)));
    case OP.MKDIR:
      return entryOut(disk.makeDirectory(node, request.names(8)[0] as string, request.u32(0)));
    case OP.UNLINK:
    case OP.RMDIR:
      disk.remove(node, request.names(0)[0] as string, opcode === OP.RMDIR);
      return NOTHING;
    case OP.RENAME:
    case OP.RENAME2: {
      const [name = "", newName = ""] = request.names(opcode === OP.RENAME ? 8 : 16);
      disk.rename(node, name, request.u64(0), newName);
      return NOTHING;
    }
    case OP.CREATE: {
      const made = disk.create(node, request.names(16)[0] as string, request.u32(4));
      return Buffer.concat([entryOut(made), openOut(made.ino, isDirect(made.ino))]);
    }
    case OP.OPEN:
      disk.open(node, request.u32(0));
      return openOut(node, isDirect(node));
    case OP.READ:
      return disk.read(node, request.u64(8), request.u32(16));
    case OP.WRITE:
      return writeOut(disk.write(node, request.u64(8), request.data(40, request.u32(16))));
    case OP.FSYNC:
      if (hold?.test(disk.pathOf(node))) {
        held.push({ unique: request.unique, node, pid: request.pid });
        say({ held: disk.pathOf(node), nth: count });
        return undefined;
      }
      disk.flush(node);
      return NOTHING;
    case OP.INTERRUPT:
      held = held.filter(({ unique, pid }) => {
        if (unique !== request.interrupted() || !isKilled(pid)) return true;
        send(errorOf(unique, "EINTR"));
        return false;
      });
      return undefined;
    case OP.RELEASE:
      disk.release(node);
      return NOTHING;
    case OP.OPENDIR:
      return openOut(node, false);
    case OP.READDIR:
      return namesFrom(node, request.u64(8), request.u32(16));
    case OP.STATFS:
      return statfsOut();
    case OP.FLUSH:
    case OP.RELEASEDIR:
    case OP.FSYNCDIR:
    case OP.DESTROY:
      return NOTHING;
    default:
      throw new DiskError("ENOSYS");
  }
}

/** A disk's flush is not ended by a signal, but its process may end. */
function isKilled(pid: number): boolean {
  try {
    const pending = /^SigPnd:\s*(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return (BigInt(`0x${pending}`) & SIGKILL_PENDING) !== 0n;
  } catch {
    return true; // it is gone
  }
}

/** SQLite maps its file of shared memory, which holds nothing that outlives a process. */
function isDirect(node: number): boolean {
  return !disk.pathOf(node).endsWith("-shm");
}

/** fuse_setattr_in. */
function changesOf(request: Request): { size?: number; mode?: number; uid?: number; gid?: number } {
  const valid = request.u32(0);
  return {
    ...(valid & 1 ? { mode: request.u32(68) } : {}),
    ...(valid & 2 ? { uid: request.u32(76) } : {}),
    ...(valid & 4 ? { gid: request.u32(80) } : {}),
    ...(valid & 8 ? { size: request.u64(16) } : {}),
  };
}

function namesFrom(node: number, from: number, size: number): Buffer {
  const found: Buffer[] = [];
  let bytes = 0;
  for (const [index, { name, mode }] of disk.names(node).entries()) {
    if (index < from) continue;
    const one = direntOut(index, name, mode);
    bytes += one.length;
    if (bytes > size) break;
    found.push(one);
  }
  return Buffer.concat(found);
}

function obey(command: Command): void {
  switch (command.do) {
    case "fault":
      disk.rule = command.fault === undefined ? undefined : new FaultRule(command.fault);
      break;
    case "hold":
      hold = command.path === undefined ? undefined : new RegExp(command.path);
      while (hold === undefined && held.length > 0) releaseOne();
      break;
    case "release":
      releaseOne();
      break;
    case "report":
      reporting = command.on;
      break;
    case "failed":
      break;
    case "lie":
      disk.lies = true;
      break;
    case "settle":
      disk.settle();
      break;
    case "cut":
      disk.cut(command.some);
      break;
    default:
      command satisfies never;
  }
  say({ answer: command.id, failed, events: events.splice(0) });
  if (command.do === "fault") failed = 0;
}

/** The oldest held flush is done, and then told to whoever waits for it. */
function releaseOne(): void {
  const one = held.shift();
  if (one === undefined) return;
  try {
    disk.flush(one.node);
    send(answerOf(one.unique));
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    send(errorOf(one.unique, thrown.errno));
  }
}

function say(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
