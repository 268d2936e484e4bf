// The front door for sessions over iroh, `@capstan/orchestrator/iroh`: how a client dials, and what an address is. It is no part of the
// client's own, which runs in browsers; iroh itself is loaded with the first dial.

export {
  formatIrohUrl,
  type IrohAddress,
  isIrohUrl,
  parseIrohUrl,
} from "./transport/iroh/address.ts";
export { type IrohDialOptions, irohDial } from "./transport/iroh/dial.ts";
