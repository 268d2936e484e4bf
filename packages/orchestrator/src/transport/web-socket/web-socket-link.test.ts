import { test } from "bun:test";
import { describeTransport } from "../conformance/conformance.fixture.ts";
import { World } from "../conformance/world.fixture.ts";
import { handshaken, maskedFrame, webSocketWire } from "./web-socket.fixture.ts";

describeTransport(webSocketWire);

test("text that is not UTF-8 never arrives", async () => {
  const world = await World.over(webSocketWire);
  const { socket, closed } = await handshaken(Number(world.listening.port));
  socket.write(maskedFrame(Buffer.from([0x5b, 0xff, 0xfe, 0x5d])));
  await closed;
  await world.sessions[0]?.over.promise;
  await world.stop();
});
