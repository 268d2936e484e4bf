// How many routes a gobgpd has, by its gRPC interface: one call of one method (gobgp.proto's GetTable), written out, since it is asked
// some hundred times and a process of the command line for each would take part of what is measured.

import { type ClientHttp2Session, connect } from "node:http2";

/** GetTableRequest { table_type: GLOBAL, family: { afi: AFI_IP, safi: SAFI_UNICAST } }, behind gRPC's five bytes. */
const REQUEST = Buffer.from([0, 0, 0, 0, 6, 0x12, 4, 0x08, 1, 0x10, 1]);

export interface TableCount {
  routes(): Promise<number>;
  close(): void;
}

export function tableCount(port: number): TableCount {
  let session: ClientHttp2Session | undefined;
  return {
    routes: () =>
      new Promise((resolve, reject) => {
        // One that could not be made, because the daemon was not there yet, is of no more use.
        if (session === undefined || session.destroyed) session = connect(`http://127.0.0.1:${port}`);
        session.once("error", reject);
        const stream = session.request({
          ":method": "POST",
          ":path": "/apipb.GobgpApi/GetTable",
          "content-type": "application/grpc",
          te: "trailers",
        });
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.once("error", reject);
        stream.once("end", () => {
          session?.off("error", reject);
          resolve(destinations(Buffer.concat(chunks).subarray(5)));
        });
        stream.end(REQUEST);
      }),
    close: () => session?.destroy(),
  };
}

/** GetTableResponse's first field, num_destination: a varint, left out where it is zero. */
function destinations(response: Buffer): number {
  if (response[0] !== 0x08) return 0;
  let value = 0;
  for (let at = 1, factor = 1; at < response.length; at++, factor *= 128) {
    const byte = response[at] as number;
    value += (byte & 127) * factor;
    if (byte < 128) break;
  }
  return value;
}
