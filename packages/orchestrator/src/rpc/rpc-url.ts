// The URL of a node's RPC endpoint, made from its address. The client uses it too, so that it imports nothing of the server.

export function rpcUrl(url: string, scheme: "ws" | "http"): string {
  return `${url.replace(/^http/, scheme).replace(/\/$/, "")}/rpc`;
}
