import { describe, expect, test } from "bun:test";
import { checkSchema, compileSchema, describeProblems } from "./json-schema.ts";

const problems = (schema: unknown, value: unknown) => {
  expect(checkSchema(schema)).toBeUndefined();
  return compileSchema(schema)(value).map(({ path, problem }) => `${path} ${problem}`);
};
/** Of the processor: by the clock a busy machine takes longer. */
const within = (milliseconds: number, run: () => void): void => {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(milliseconds);
};

describe("compileSchema", () => {
  test("accepts and refuses", () => {
    const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
    expect(problems(schema, { a: 1, b: 2 })).toEqual([]);
    expect(problems(schema, { a: "1" })).toEqual(["/a must be integer"]);
    expect(problems(true, undefined)).toEqual([]);
    expect(problems(false, 1)).toEqual([" is not allowed"]);
    expect(problems({}, 1)).toEqual([]);
  });

  test("neither fills in, nor coerces, nor removes", () => {
    const value = Object.freeze({ a: "1", c: 1 });
    const schema = { properties: { a: { type: "number" }, b: { default: 1 } }, additionalProperties: false };
    expect(problems(schema, value)).toEqual(["/c is unknown", "/a must be number"]);
    expect(value).toEqual({ a: "1", c: 1 });
  });

  test("a schema that its owner alters later is not altered here", () => {
    const schema = { properties: { a: { type: "string" } } };
    const check = compileSchema(schema);
    check({ a: 1 });
    schema.properties.a.type = "number";
    expect(check({ a: 1 })).toHaveLength(1);
  });

  test("inherited names are not there, and own ones are ordinary", () => {
    const schema = {
      type: "object",
      properties: { constructor: { type: "string" } },
      required: ["constructor", "toString"],
      additionalProperties: false,
    };
    expect(problems(schema, {})).toEqual(["/constructor is required", "/toString is required"]);
    const value = JSON.parse('{"constructor":"a","toString":1,"__proto__":{"polluted":true}}');
    expect(problems(schema, value)).toEqual(["/toString is unknown", "/__proto__ is unknown"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(problems({ required: ["__proto__"] }, {})).toEqual(["/__proto__ is required"]);
    expect(problems({ required: ["__proto__"] }, JSON.parse('{"__proto__":1}'))).toEqual([]);
  });

  test("uniqueItems counts names in any order, __proto__ and types", () => {
    const schema = { type: "array", uniqueItems: true };
    expect(problems(schema, [1, "1", true, null, "null", { a: 1, b: 2 }, { a: 2, b: 1 }, "{}", {}, []])).toEqual([]);
    for (const pair of [
      [1, 1.0],
      ["__proto__", "__proto__"],
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      [[], []],
    ]) {
      expect(problems(schema, pair)).toEqual([" must not have two equal items"]);
    }
  });

  test("two schemas of one $id do not meet", () => {
    expect(problems({ $id: "https://example.org/one", type: "string" }, "a")).toEqual([]);
    expect(problems({ $id: "https://example.org/one", type: "number" }, "a")).toEqual([" must be number"]);
  });

  test("a refused schema throws", () => {
    expect(() => compileSchema({ const: () => 1 })).toThrow("checkSchema refuses it");
    expect(() => compileSchema({ pattern: "(?!a)" })).toThrow();
  });

  test("keeps a bounded number by text, and an object's own as long as it lives", () => {
    const schema = { title: "kept" };
    const check = compileSchema(schema);
    for (let i = 0; i < 520; i++) compileSchema({ title: `other ${i}` });
    expect(compileSchema(schema)).toBe(check);
    expect(compileSchema({ title: "kept" })).not.toBe(check);
  });
});

describe("what a value can cost", () => {
  test("^(a+)+$ is linear", () => {
    const schema = { pattern: "^(a+)+$" };
    within(10_000, () => {
      expect(problems(schema, `${"a".repeat(31)}!`)).toEqual([' must match "^(a+)+$"']);
      expect(problems(schema, "a".repeat(100_000))).toEqual([]);
    });
    expect(problems({ patternProperties: { "^(a+)+$": false } }, { [`${"a".repeat(40)}!`]: 1 })).toEqual([]);
  });

  test("a long text against a large pattern is refused, and `not` does not turn that around", () => {
    const schema = { not: { pattern: "[ab]*a[ab]{900}c" } };
    within(10_000, () =>
      expect(problems(schema, "ab".repeat(500_000))).toEqual([
        " is too large to check against its schema; send less at a time",
      ]),
    );
  });

  test("references that fan out are stopped", () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [
        `a${i}`,
        i === 39 ? {} : { allOf: [{ $ref: `#/$defs/a${i + 1}` }, { $ref: `#/$defs/a${i + 1}` }] },
      ]),
    );
    within(10_000, () =>
      expect(problems({ $ref: "#/$defs/a0", $defs }, 1)).toEqual([
        " is too large to check against its schema; send less at a time",
      ]),
    );
  });

  test("recursion that fans out with every level of the value is stopped", () => {
    const schema = { properties: { a: { allOf: [{ $ref: "#" }, { $ref: "#" }] } } };
    let value: unknown = 1;
    for (let i = 0; i < 60; i++) value = { a: value };
    within(10_000, () => expect(problems(schema, value)).toHaveLength(1));
  });

  test("a value nested 100,000 deep is refused and nothing overflows", () => {
    let value: unknown = [];
    for (let i = 0; i < 100_000; i++) value = [value];
    expect(problems({ type: "array", items: { $ref: "#" } }, value)).toEqual([" is nested too deep to check"]);
  });

  test("uniqueItems over 50,000 objects is linear", () => {
    const value = Array.from({ length: 50_000 }, (_, i) => ({ i }));
    within(10_000, () => expect(problems({ uniqueItems: true }, value)).toEqual([]));
  });

  test("contains over 300,000 items that do not fit ends", () => {
    const schema = { contains: { $ref: "#/$defs/s" }, $defs: { s: { type: "string" } } };
    within(10_000, () => expect(problems(schema, new Array(300_000).fill(1))).toHaveLength(1));
    expect(problems(schema, [...new Array(5_000).fill(1), "a"])).toEqual([]);
  });

  test("300,000 errors are not collected", () => {
    const schema = { items: { $ref: "#/$defs/s" }, $defs: { s: { type: "string" } } };
    within(10_000, () => expect(problems(schema, new Array(300_000).fill(1))).toEqual(["/0 must be string"]));
    expect(problems(schema, new Array(500).fill(1))).toHaveLength(64);
  });

  test("a text in a schema that looks like generated code is only a text", () => {
    const text = '"dynamicAnchors={}}={}){ errors++;vErrors.concat(a.errors);errors = vErrors.length;\\"';
    expect(problems({ const: text }, text)).toEqual([]);
    expect(problems({ properties: { [text]: { const: text } }, required: [text] }, { [text]: text })).toEqual([]);
    expect(problems({ properties: { [text]: { const: text } } }, { [text]: 1 })).toHaveLength(1);
  });

  test("a value that throws when read is a problem", () => {
    const value = {
      get a() {
        throw new Error("no");
      },
    };
    expect(problems({ properties: { a: { type: "string" } } }, value)).toEqual([" cannot be read"]);
  });
});

describe("describeProblems", () => {
  const told = (schema: unknown, value: unknown) => {
    expect(checkSchema(schema)).toBeUndefined();
    return describeProblems("greet", compileSchema(schema)(value)).message;
  };
  const closed = {
    type: "object",
    properties: { name: { type: "string" } },
    required: ["name"],
    additionalProperties: false,
  };

  test("says what is missing and what was meant", () => {
    const { message, details } = describeProblems("greet", compileSchema(closed)({ nmae: "Ada" }));
    expect(message).toBe('greet: "name" is required; unknown "nmae", did you mean "name"?');
    expect(details).toEqual([
      { path: "/name", problem: "is required" },
      { path: "/nmae", problem: 'is unknown, did you mean "name"?' },
    ]);
  });

  test("does not suggest what is there already", () => {
    expect(told(closed, { name: "Ada", nmae: 1 })).toBe('greet: unknown "nmae"');
  });

  test("names what is nested, and the value itself without a name", () => {
    const schema = {
      type: "object",
      properties: { user: closed, list: { type: "array", items: { type: ["string", "null"] } } },
    };
    expect(told(schema, { user: { name: 1 }, list: [1] })).toBe(
      'greet: "user.name" must be string; "list.0" must be string or null',
    );
    expect(told(schema, 1)).toBe("greet: must be object");
  });

  test("names eight and counts the rest", () => {
    const message = told({ items: { type: "string" } }, new Array(11).fill(1));
    expect(message.match(/must be string/g)).toHaveLength(8);
    expect(message).toEndWith('"7" must be string; and 3 more');
  });

  test("says a union by its shape, or by the branch that the value chose", () => {
    const schema = {
      properties: {
        d: {
          oneOf: [
            { type: "object", properties: { kind: { const: "a" }, n: { type: "number" } }, required: ["kind", "n"] },
            { type: "object", properties: { kind: { const: "b" } }, required: ["kind"] },
          ],
        },
        e: { anyOf: [{ type: "string" }, { $ref: "#/$defs/n" }] },
      },
      $defs: { n: { type: "number" } },
    };
    expect(told(schema, { d: { kind: "a" } })).toBe('greet: "d.n" is required');
    expect(told(schema, { d: {} })).toBe('greet: "d" must be {kind: "a", n: number} | {kind: "b"}');
    expect(told(schema, { e: true })).toBe('greet: "e" must be string | number');
    expect(told({ oneOf: [{ minimum: 1 }, { minimum: 2 }] }, 3)).toContain("fits more");
  });

  test("speaks of every keyword", () => {
    expect(told({ enum: ["a", 1] }, 2)).toBe('greet: must be one of "a", 1');
    expect(told({ const: { a: 1 } }, 2)).toBe('greet: must be {"a":1}');
    expect(told({ not: { type: "string" } }, "a")).toBe("greet: must not be string");
    expect(told({ propertyNames: { maxLength: 1 } }, { ab: 1 })).toBe(
      'greet: "ab" has a name that must NOT have more than 1 characters',
    );
    expect(told({ dependentRequired: { a: ["b"] } }, { a: 1 })).toBe('greet: "b" is required together with "a"');
    expect(told({ if: true, then: { required: ["a"] } }, {})).toBe('greet: "a" is required');
    expect(told({ unevaluatedProperties: false, properties: { name: {} } }, { nme: 1 })).toBe(
      'greet: unknown "nme", did you mean "name"?',
    );
    expect(told({ minItems: 1 }, [])).toBe("greet: must NOT have fewer than 1 items");
    expect(told({ prefixItems: [{ type: "string" }], items: false }, ["a", 1])).toContain("greet: ");
  });

  test("escapes what a terminal would act on, and cuts what is long", () => {
    const message = describeProblems(
      "a\nb",
      compileSchema(closed)({ name: "", "\u001b[2J\u202e\r\n": 1, ["x".repeat(9_999)]: 1 }),
    ).message;
    expect(message).toBe(`a\\u000ab: unknown "\\u001b[2J\\u202e\\r\\n"; unknown "${"x".repeat(64)}…"`);
  });
});
