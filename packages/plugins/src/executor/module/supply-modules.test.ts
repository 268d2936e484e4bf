import { expect, test } from "bun:test";
import { supplyModules } from "./supply-modules.ts";

// Names of the test's own: the whole process sees what is supplied. `nameOf` keeps Bun from resolving them early.
const nameOf = (name: string): string => `@capstan/supply-modules-test-${name}`;

test("an import gives the running program's own objects", async () => {
  const exports = { brand: Symbol("own"), default: () => 1 };
  supplyModules({ [nameOf("a")]: exports });
  const imported = await import(nameOf("a"));
  expect(imported.brand).toBe(exports.brand);
  expect(imported.default).toBe(exports.default);
});

test("supplying again keeps what is in use, and adds what is new", async () => {
  supplyModules({ [nameOf("b")]: { n: 1 } });
  supplyModules({ [nameOf("b")]: { n: 2 }, [nameOf("c")]: { n: 3 } });
  expect((await import(nameOf("b"))).n).toBe(1);
  expect((await import(nameOf("c"))).n).toBe(3);
});
