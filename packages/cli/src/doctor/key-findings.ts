// The node's key: there, a key, its owner's alone, the one that node.pub tells of, and one that the log admits.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatVerifierKey, readNodeKey, type Signer } from "@capstan/orchestrator";
import { thrownFault } from "../fault/thrown.ts";
import { type Finding, Findings } from "./finding.ts";

/** `admitted`: verifier keys that the log admits, where it could be read. */
export async function keyFindings(
  data: string,
  shown: string,
  admitted: readonly string[] | undefined,
): Promise<readonly Finding[]> {
  const found = new Findings("key");
  let signer: Signer | undefined;
  try {
    signer = await readNodeKey(data);
  } catch (thrown) {
    const todo = "put the node's key there again, or remove it to have another made";
    return found.fault(thrownFault(thrown).message, todo).list;
  }
  if (signer === undefined) {
    if (admitted === undefined || admitted.length === 0)
      return found.ok("there is none yet; the first start makes it").list;
    const todo = "put it there again; without it the next start makes another identity";
    return found.fail(`${shown}/node.key is gone, and the log is of a node that had one`, todo).list;
  }
  const key = formatVerifierKey(signer);
  if (publicKey(data) !== key) {
    found.warn(`${shown}/node.pub does not tell of the key in node.key`, "the next start writes it");
  }
  if (admitted !== undefined && admitted.length > 0 && !admitted.includes(key)) {
    found.warn(`the log does not know the key in ${shown}/node.key`, "is it this node's? The next start admits it");
  }
  if (found.list.length === 0) found.ok(key.split("+", 2).join("+"));
  return found.list;
}

function publicKey(data: string): string | undefined {
  try {
    return readFileSync(join(data, "node.pub"), "utf8").trim();
  } catch {
    return undefined;
  }
}
