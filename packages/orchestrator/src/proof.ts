// The front door for whoever verifies what a node gave out, `@capstan/orchestrator/proof`: receipts, checkpoints, keys, and no node to
// verify them with. Like `./remote` it loads neither the kernel nor a schema.

export { proven } from "./fault/proof-fault.ts";
export { parseWitnessKey } from "./proof/cosignature.ts";
export type { EntryPart } from "./proof/entry-check.ts";
export { LEAVES_KEPT, LeafWindow } from "./proof/leaf-window.ts";
export { formatVerifierKey, openNote, parseVerifierKey, type VerifierKey } from "./proof/note.ts";
export { type VerifiedReceipt, verifyReceipt } from "./proof/receipt.ts";
