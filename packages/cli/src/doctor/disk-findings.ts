// Room for the log to grow: bytes and inodes of the file system that the data directory is on.

import { type Finding, Findings } from "./finding.ts";

/** What `statfs` tells. */
export interface DiskRoom {
  readonly bsize: number;
  readonly bavail: number;
  /** 0 where the file system has no fixed number of them. */
  readonly files: number;
  readonly ffree: number;
}

/** The write-ahead log grows to 32 MiB, and a checkpoint of it writes as much again. */
const LEAST_BYTES = 64 * 2 ** 20;
const FEW_BYTES = 2 ** 30;
const LEAST_INODES = 16;
const FEW_INODES = 1000;

/** `logBytes`: of the log's files, which a backup beside them takes once more. */
export function diskFindings(room: DiskRoom, logBytes: number): readonly Finding[] {
  const found = new Findings("disk");
  const free = room.bsize * room.bavail;
  const todo = "make room; until then commands get LOG_UNAVAILABLE when it is full, and reads go on";
  if (free < LEAST_BYTES) found.fail(`${bytesText(free)} free`, todo);
  else if (free < FEW_BYTES) found.warn(`${bytesText(free)} free`, todo);
  else if (free < logBytes) {
    found.warn(
      `${bytesText(free)} free, and the log has ${bytesText(logBytes)}`,
      "put backups on another disk: one does not fit here",
    );
  } else found.ok(`${bytesText(free)} free`);
  if (room.files === 0) return found.list;
  if (room.ffree < LEAST_INODES) found.fail(`${room.ffree} inodes left`, "remove files: no new one can be made");
  else if (room.ffree < FEW_INODES) found.warn(`${room.ffree} inodes left`, "remove files of that file system");
  return found.list;
}

/** `1.5 GB` */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
