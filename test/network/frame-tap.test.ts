import { expect, test } from "bun:test";
import { FrameTap, type SaidUpdate } from "./frame-tap.ts";

/** A frame of RFC 6455 §5.2. */
function frame(
  text: string,
  { fin = true, opcode = 1, mask }: { fin?: boolean; opcode?: number; mask?: Buffer } = {},
): Buffer {
  const payload = Buffer.from(text);
  const first = (fin ? 0x80 : 0) | opcode;
  const bit = mask === undefined ? 0 : 0x80;
  const size = payload.length < 126 ? [bit | payload.length] : [bit | 126, payload.length >> 8, payload.length & 0xff];
  const masked = mask === undefined ? payload : payload.map((byte, i) => byte ^ (mask[i % 4] as number));
  return Buffer.concat([Buffer.from([first, ...size]), mask ?? Buffer.alloc(0), masked]);
}

const call = (said: unknown): string =>
  JSON.stringify([
    "push",
    ["pipeline", 1, ["applyAction"], [[{ resource: "peer", action: "update", data: { frame: said } }]]],
  ]);
const update = { type: "update", seq: 3, withdraw: [["action:a", "action:b"]], announce: [[]] };

function heard(...chunks: Buffer[]): SaidUpdate[] {
  const updates: SaidUpdate[] = [];
  const tap = new FrameTap((one) => updates.push(one));
  tap.push(Buffer.from("GET /rpc HTTP/1.1\r\nupgrade: websocket\r\n\r\n"));
  for (const chunk of chunks) tap.push(chunk);
  return updates;
}

test("what is withdrawn is read out of calls, masked or not, whatever else is said", () => {
  const mask = Buffer.from([1, 2, 3, 4]);
  const updates = heard(frame('["pull",1]'), frame(call(update), { mask }), frame(call({ type: "keepalive" })));
  expect(updates).toEqual([{ withdrawn: ["action:a", "action:b"], announced: 0 }]);
});

test("also where an update goes as text", () => {
  const text = JSON.stringify({ ...update, withdraw: ["action:a"], announce: [{ path: [] }] });
  expect(heard(frame(call(text)))).toEqual([{ withdrawn: ["action:a"], announced: 1 }]);
});

test("whatever pieces it comes in", () => {
  const text = call(update);
  const all = Buffer.concat([
    frame(text.slice(0, 30), { fin: false }),
    frame("", { opcode: 9 }),
    frame(text.slice(30), { opcode: 0 }),
  ]);
  expect(heard(...Array.from(all, (byte) => Buffer.from([byte])))).toHaveLength(1);
});
