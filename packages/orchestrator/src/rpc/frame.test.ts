import { describe, expect, test } from "bun:test";
import { inspectFrame } from "./frame.ts";

describe("plain frames", () => {
  test("a call counts once, and its data not at all", () => {
    const frame = inspectFrame('["push",["pipeline",1,["action","perform"],[{"name":"greet","tags":[["a","b"]]}]]]');
    expect(frame).toMatchObject({ type: "push", calls: 1, maps: 0, nested: 0, references: [] });
    expect(frame.refused).toBeUndefined();
  });

  test("pull and release name their export", () => {
    expect(inspectFrame('["pull",7]')).toMatchObject({ type: "pull", id: 7, calls: 0, released: 0 });
    expect(inspectFrame('["release",-3,2]')).toMatchObject({ type: "release", id: -3, released: 2 });
  });

  test("a property counts as a call, since reading it may run a getter", () => {
    expect(inspectFrame('["push",["pipeline",0,["action"]]]')).toMatchObject({ calls: 1, references: [0] });
  });

  test("data that looks like a special form, wrapped as a literal list, is data", () => {
    const text =
      '["push",["pipeline",0,["f"],[[["pipeline",0,[["g"]],[[]]]],[["remap",1,[[]],[[]],[[]]]],"remap","pipeline"]]]';
    expect(inspectFrame(text)).toMatchObject({ calls: 1, maps: 0, nested: 0, references: [] });
    expect(inspectFrame(text).refused).toBeUndefined();
  });
});

describe("what hides", () => {
  const bomb = (inner: string) => `["push",["pipeline",0,["f"],[${inner}]]]`;

  test.each([
    ["plainly", bomb('["pipeline",0,["g"],[]]')],
    ["with import", bomb('["import",0,["g"],[]]')],
    ["in an object", bomb('{"a":{"b":["pipeline",0,["g"],[]]}}')],
    ["in a literal list", bomb('[[1,["pipeline",0,["g"],[]]]]')],
    ["in an error's fields", bomb('["error","Error","x",null,{"a":["pipeline",0,["g"],[]]}]')],
    ["under __proto__, which capnweb evaluates and drops", bomb('{"__proto__":["pipeline",0,["g"],[]]}')],
    ["under toJSON, likewise", bomb('{"toJSON":["pipeline",0,["g"],[]]}')],
    ["behind white space", bomb('\t[ \n"pipeline" ,0, ["g"] ,[ ] ]')],
    ["behind escapes", bomb('["\\u0070ipe\\u006cine",0,["g"],[]]')],
  ])("a nested call is counted: %s", (_, text) => {
    expect(inspectFrame(text)).toMatchObject({ calls: 2, nested: 1 });
  });

  test("calls in calls in arguments are all counted", () => {
    let call = '["pipeline",0,["g"],[]]';
    for (let i = 0; i < 50; i++) call = `["pipeline",0,["g"],[${call}]]`;
    expect(inspectFrame(bomb(call))).toMatchObject({ calls: 52, nested: 51 });
  });

  test("escaped and spaced keywords at the head are read as capnweb reads them", () => {
    expect(inspectFrame(' [ "\\u0070ush" , ["rem\\u0061p",1,[],[],[["pipeline",0,["a"]]]]]')).toMatchObject({
      type: "push",
      maps: 1,
      mapInstructions: 1,
    });
  });

  test("calls in a resolve, reject or abort are counted", () => {
    for (const head of ['"resolve",5', '"reject",5', '"abort"'])
      expect(inspectFrame(`[${head},["pipeline",0,["g"],[]]]`)).toMatchObject({ calls: 1, nested: 1 });
  });
});

describe("maps", () => {
  test("a mapper as capnweb builds it", () => {
    const text =
      '["push",["remap",1,["items"],[["import",2],["export",-1]],[["pipeline",0,["id"]],["pipeline",-1,["show"],[{"id":["pipeline",1],"to":["import",-2]}]],["pipeline",2]]]]';
    const frame = inspectFrame(text);
    expect(frame).toMatchObject({ calls: 1, maps: 1, mapInstructions: 3, mapNested: false, nested: 0, callbacks: 1 });
    expect(frame.map).toMatchObject({ subject: 1, variableReferences: 3, captureReferences: [0] });
    expect(frame.refused).toBeUndefined();
  });

  test("a map inside a map is seen", () => {
    const text = '["push",["remap",1,[],[],[["remap",0,[],[],[["pipeline",0]]]]]]';
    expect(inspectFrame(text)).toMatchObject({ maps: 2, mapNested: true });
  });

  test("a map inside a map's arguments is seen", () => {
    const text =
      '["push",["remap",1,[],[],[["pipeline",0,["f"],[["remap",0,[],[],[["pipeline",0]]]]],["pipeline",1]]]]';
    expect(inspectFrame(text)).toMatchObject({ mapNested: true });
  });

  test("large literals are steps, since each element gets a copy", () => {
    const text = `["push",["remap",1,[],[],[{"text":"${"x".repeat(10_240)}"}]]]`;
    expect(inspectFrame(text).mapInstructions).toBe(11);
    const list = `["push",["remap",1,[],[],[[[${Array(640).fill(0)}]]]]]`;
    expect(inspectFrame(list).mapInstructions).toBe(11);
    expect(inspectFrame(list).map?.longest).toBe(640);
  });

  test("a capture that is handed on through steps is still a capture", () => {
    const text = '["push",["remap",1,[],[["import",9]],[["pipeline",-1,["x"]],["pipeline",1],["pipeline",2]]]]';
    expect(inspectFrame(text).map?.captureReferences).toEqual([9, 9, 9]);
  });
});

test.each([
  ["", "not JSON"],
  ['["push",["pipeline",0,["f"],[', "not JSON"],
  ['["pull",1', "not JSON"],
  ["{}", "not a JSON array"],
  ["[]", "no type"],
  ['["nonsense",1]', "no type"],
  ['["stream",["pipeline",0,["f"],[]]]', "stream"],
  ['["pipe"]', "pipe"],
  ['["pull","1"]', "pull"],
  ['["release",1,0]', "release"],
  ['["release",1,0.5]', "release"],
  ['["release",1,-1000]', "release"],
  ['["release",1]', "release"],
  ['["resolve",1]', "resolve"],
  ['["push"]', "call, a property or a map"],
  ['["push",5]', "call, a property or a map"],
  ['["push",[[["pipeline",1],["pipeline",1]]]]', "call, a property or a map"],
  ['["push",["pipeline",0,["f"],5]]', "arguments"],
  ['["push",["pipeline",0,["f"],[["readable",1]]]]', "readable"],
  ['["push",["pipeline",0,["f"],[["writable",-1]]]]', "writable"],
  ['["push",["pipeline",0,["f"],[["blob","a/b",["readable",1]]]]]', "blob"],
  ['["push",["pipeline",0,["f"],[["request","http://x",{}]]]]', "request"],
  ['["push",["pipeline",0,["f"],[["response",null,{}]]]]', "response"],
  ['["push",["pipeline",0,["f"],[["headers",[]]]]]', "headers"],
  ['["push",["pipeline",0,["f"],[["nonsense"]]]]', "special form"],
  ['["push",["pipeline",0,["f"],[["export",4294967294]]]]', "export"],
  ['["push",["remap",1,[],[],[]]]', "map"],
  ['["push",["remap",1,[],[],[[[["pipeline",0],["pipeline",0]]],["pipeline",1]]]]', "steps"],
])("refused: %s", (text, reason) => {
  expect(inspectFrame(text).refused).toContain(reason);
});

test("depth is bounded, and no depth overflows the stack", () => {
  const deep = (levels: number) => `["push",["pipeline",0,["f"],[${'{"a":'.repeat(levels)}1${"}".repeat(levels)}]]]`;
  expect(inspectFrame(deep(200)).refused).toBeUndefined();
  expect(inspectFrame(deep(300)).refused).toContain("levels deep");
  expect(inspectFrame(deep(100_000)).refused).toContain("levels deep");
  expect(inspectFrame(`${"[".repeat(100_000)}${"]".repeat(100_000)}`).refused).toBeDefined();
});
