// Where a node's sessions are, by the address that people give it. For the client too: nothing of a server is in here.

export function rpcUrl(url: string, scheme: "ws" | "http"): string {
  return `${url.replace(/^http/, scheme).replace(/\/$/, "")}/rpc`;
}
