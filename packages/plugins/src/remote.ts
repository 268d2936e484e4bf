// The plugins' front door for programs beside a node, `@capstan/plugins/remote`: what the command line shares with them, without loading
// them (ADR 0033).

export { credentialDigest } from "./auth/credential.ts";
export { shape } from "./registry/shape.ts";
