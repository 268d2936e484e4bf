// The peering protocol's front door. It has no content until peering is built (DESIGN.md §6): sessions, RIBs, policy,
// wire and simulator, without I/O. It imports none of our other packages, and must not come to.
export {};
