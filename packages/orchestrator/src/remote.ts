// The front door for programs beside a node, `@capstan/orchestrator/remote`: what the command line asks with, and what it checks a node's
// word with. Nothing of it loads the kernel or a schema, so that such a program starts at once (ADR 0033).

export { Unwritable } from "./backup/unwritable.ts";
export { type Fault, FaultError, type FaultTable, fault } from "./fault/fault.ts";
export { printable } from "./fault/printable.ts";
export { siblingId } from "./message/id.ts";
export { nearest } from "./message/nearest.ts";
export { DEFAULT_LISTEN, parseAddress } from "./server/address.ts";
export { certificatePin, isPin, pinOf } from "./transport/pin/certificate-pin.ts";
export { pinnedDial, pinnedTls } from "./transport/pin/pinned.ts";
