// A certificate for one name that signs itself, made when it is asked for: no key lies in the repository, and no program has to
// be installed. X.509 (RFC 5280) in DER, as little of it as a TLS client asks for.

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

const SEQUENCE = 0x30;
const SET = 0x31;
const ECDSA_WITH_SHA256 = der(0x06, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);
const COMMON_NAME = der(0x06, 0x55, 0x04, 0x03);
const SUBJECT_ALT_NAME = der(0x06, 0x55, 0x1d, 0x11);

export function certificateFor(name: string): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const text = Buffer.from(name);
  const algorithm = der(SEQUENCE, ECDSA_WITH_SHA256);
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(0x0c, text))));
  const names = der(SEQUENCE, der(SEQUENCE, SUBJECT_ALT_NAME, der(0x04, der(SEQUENCE, der(0x82, text)))));
  const content = der(
    SEQUENCE,
    der(0xa0, der(0x02, 2)), // version 3
    der(0x02, 1, randomBytes(8)),
    algorithm,
    subject,
    der(SEQUENCE, time("2020"), time("2120")),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, names),
  );
  const signature = der(0x03, 0, sign("sha256", content, privateKey));
  const base64 = der(SEQUENCE, content, algorithm, signature).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return {
    cert: ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n"),
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

function time(year: string): Buffer {
  return der(0x18, Buffer.from(`${year}0101000000Z`));
}

function der(tag: number, ...parts: readonly (number | Uint8Array)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : part)));
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
