import { expect, test } from "bun:test";
import { RpcSession } from "capnweb";
import { ClientTransport } from "../client-transport.ts";
import { World } from "../conformance/world.fixture.ts";
import { listen, webSocketWire } from "../web-socket/web-socket.fixture.ts";
import { certificatePin, isPin } from "./certificate-pin.ts";
import { ISSUED, ISSUED_KEY, RENEWED, SELF_SIGNED, SELF_SIGNED_KEY } from "./certificates.fixture.ts";
import { pinnedDial, pinnedTls } from "./pinned.ts";

const pin = certificatePin(SELF_SIGNED);

/** What a client with the pin gets of a server that is served under a certificate: an answer, or a fault. */
async function asked(cert: string, key: string, pinned: string): Promise<unknown> {
  const world = await World.over({ ...webSocketWire, listen: (arrived) => listen(arrived, { cert, key }) });
  const url = `https://127.0.0.1:${world.listening.port}`;
  const main: any = new RpcSession(new ClientTransport(url, pinnedDial(pinned))).getRemoteMain();
  try {
    return await main.connect("good").show({ id: 1 });
  } catch (thrown) {
    expect(world.sessions).toEqual([]);
    return (thrown as { code?: string }).code;
  } finally {
    main[Symbol.dispose]();
    await world.stop();
  }
}

test("the pinned certificate is accepted, whatever it is called and whoever signed it", async () => {
  expect(await asked(SELF_SIGNED, SELF_SIGNED_KEY, pin)).toEqual({ shown: 1 });
  expect(await asked(ISSUED, ISSUED_KEY, certificatePin(ISSUED))).toEqual({ shown: 1 });
});

test.each([
  ["one that it signed", ISSUED, ISSUED_KEY],
  ["one that it signed, with itself behind it", `${ISSUED}${SELF_SIGNED}`, ISSUED_KEY],
  ["another one of the same key and name", RENEWED, SELF_SIGNED_KEY],
])("%s is refused, and nothing was sent", async (_, cert, key) => {
  expect(await asked(cert, key, pin)).toBe("CERTIFICATE_PIN_REFUSED");
});

test("the options for a connection refuse what comes of the pinned certificate, too", async () => {
  using server = Bun.serve({
    port: 0,
    tls: { cert: SELF_SIGNED, key: SELF_SIGNED_KEY },
    fetch: () => new Response("it"),
  });
  using other = Bun.serve({
    ...{ port: 0, fetch: () => new Response("other") },
    tls: { cert: `${ISSUED}${SELF_SIGNED}`, key: ISSUED_KEY },
  });
  const tls = await pinnedTls(`https://127.0.0.1:${server.port}`, pin);
  const get = async (port: number | undefined): Promise<string> => {
    const options = { tls, keepalive: false } as unknown as RequestInit;
    return await (await fetch(`https://127.0.0.1:${port}`, options)).text();
  };
  expect(await get(server.port)).toBe("it");
  await expect(get(other.port)).rejects.toThrow("is not the one that is pinned");
});

test("who does not answer, what is no TLS and what is no pin are faults that say so", async () => {
  using plain = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("") });
  const { port } = plain;
  await expect(pinnedTls(`https://127.0.0.1:${port}`, pin)).rejects.toMatchObject({ code: "UNREACHABLE" });
  await expect(pinnedTls(`http://127.0.0.1:${port}`, pin)).rejects.toMatchObject({ code: "CERTIFICATE_PIN_REFUSED" });
  await expect(pinnedTls(`https://127.0.0.1:${port}`, "sha256-x")).rejects.toThrow("is no pin");
  const mute = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  await expect(pinnedTls(`https://127.0.0.1:${mute.port}`, pin, 20)).rejects.toThrow("not within 0.02 s");
  mute.stop(true);
});

test("a pin is of the first certificate, and of nothing else", () => {
  expect(isPin(pin)).toBe(true);
  expect(certificatePin(`${SELF_SIGNED}${ISSUED}`)).toBe(pin);
  expect(certificatePin(RENEWED)).not.toBe(pin);
  expect(() => certificatePin("no pem")).toThrow("no certificate");
  for (const text of ["", "sha256-", `${pin}x`, pin.slice(0, -1)]) expect(isPin(text)).toBe(false);
});
