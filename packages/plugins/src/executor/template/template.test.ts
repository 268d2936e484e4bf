import { describe, expect, test } from "bun:test";
import { FaultError } from "@capstan/orchestrator";
import { Rendering } from "./rendering.ts";
import { checkTemplates, parseTemplate } from "./template.ts";

function rendering(input: unknown): Rendering {
  return new Rendering({ input, key: "k-1", id: "x-1", attempt: 2, publication: undefined });
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    return thrown instanceof FaultError ? `${thrown.code} ${thrown.message}` : String(thrown);
  }
  return "nothing was thrown";
}

describe("a template", () => {
  test.each([
    ["Hello, {{input.name}}", "Hello, Ada"],
    ["{{ input.name }}", "Ada"],
    ["{{input.name}}{{input.name}}", "AdaAda"],
    ["{{input.list.1.x}} of {{input.n}}", "7 of 3"],
    ["{{input.yes}}", "true"],
    ["{{key}} {{id}} {{attempt}}", "k-1 x-1 2"],
    ["{{{{input.name}}", "{{input.name}}"],
    ["a{{{{b{{input.n}}}}", "a{{b3}}"],
    ["no }} braces { here }", "no }} braces { here }"],
    ["", ""],
    ["[{{input.missing?}}]", "[]"],
    ["{{input.with-dash}}{{input.ü}}", "du"],
  ])("%s → %s", (text, expected) => {
    const input = { name: "Ada", list: [1, { x: 7 }], n: 3, yes: true, "with-dash": "d", ü: "u" };
    expect(rendering(input).text(text)).toBe(expected);
  });

  test("is not filled in twice: braces in a value are text", () => {
    expect(rendering({ a: "{{input.b}}", b: "x" }).text("<{{input.a}}>")).toBe("<{{input.b}}>");
  });

  test("of one placeholder keeps the value's type, and is left out where it may be missing", () => {
    const body = {
      all: "{{input}}",
      n: "{{input.n}}",
      nothing: "{{input.none}}",
      left: "{{input.x?}}",
      list: ["{{input.x?}}", "{{input.n}}"],
      plain: 7,
    };
    expect(rendering({ n: 3, none: null }).value(body)).toEqual({
      all: { n: 3, none: null },
      n: 3,
      nothing: null,
      list: [3],
      plain: 7,
    });
    expect(rendering({}).text("{{input.x?}}")).toBeUndefined();
    expect(rendering({ x: null }).text("{{input.x?}}")).toBeUndefined();
    expect(rendering({ x: null }).value("{{input.x?}}")).toBeNull();
  });

  test.each([
    "{{input.missing}}",
    "{{input.name.length}}",
    "{{input.list.length}}",
    "{{input.list.-1}}",
    "{{input.__proto__}}",
    "{{input.constructor}}",
    "{{input.constructor.prototype}}",
    "{{input.toString}}",
    "{{input.name.x.y}}",
    "{{publication.topic}}",
  ])("%s has no value: nothing is read but what is the input's own", (text) => {
    const thrown = codeOf(() => rendering({ name: "Ada", list: [1] }).text(text));
    expect(thrown).toBe(`TEMPLATE_UNRESOLVED ${text} has no value; the input does not have it`);
  });

  test("an own property called __proto__ is one like any other, and makes no prototype", () => {
    const input = JSON.parse('{"__proto__": {"polluted": 1}, "at": "x"}');
    expect(rendering(input).text("{{input.__proto__.polluted}}")).toBe("1");
    const body = JSON.parse('{"__proto__": "{{input.at}}"}');
    const filled = rendering(input).value(body) as object;
    expect(Object.getPrototypeOf(filled)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(filled, "__proto__")?.value).toBe("x");
  });

  test.each([
    [{ a: {} }, "an object"],
    [{ a: [] }, "a list"],
    [{ a: null }, "null"],
  ])("inside a text does not take %j", (input, kind) => {
    expect(codeOf(() => rendering(input).text("x{{input.a}}"))).toBe(
      `TEMPLATE_VALUE_REFUSED {{input.a}} is ${kind}; only a text, a number or a boolean can stand inside a text`,
    );
  });

  test.each([
    ["{{input.name", '"{{" at character 0 is not closed'],
    ["{{}}", "{{}} is no path"],
    ["{{input..x}}", "{{input..x}} is no path"],
    ["{{input.a b}}", "{{input.a b}} is no path"],
    ["{{input.a()}}{{", "is not closed"],
    ["{{a.b}}", '{{a.b}} begins with "a"; it may be input, key'],
    ["{{__proto__}}", 'begins with "__proto__"'],
    ["{{configuration.token}}", 'begins with "configuration"'],
    ["{{input.\u001b[31m}}", "\\u001b"],
    [`{{input${".a".repeat(40)}}}`, "is no path"],
  ])("%s is refused when it is registered", (text, problem) => {
    expect(parseTemplate(text)).toEqual({ problem: expect.stringContaining(problem) });
  });

  test("that is refused is named by where it stands", () => {
    const flaw = checkTemplates({ a: [{ b: "{{input.x}}" }, { b: "{{x" }], c: { secret: "env:{{" } }, "body");
    expect(flaw).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("body.a[1].b: ") });
  });

  test("takes a secret as it is, braces and all", () => {
    const references = { token: { secret: "env:TOKEN" }, other: "{{input.n}}" };
    const resolved = { token: "{{input.n}}{{", other: "{{input.n}}" };
    expect(rendering({ n: 1 }).value(resolved, references)).toEqual({ token: "{{input.n}}{{", other: 1 });
    expect(rendering({ n: 1 }).text("{{", { secret: "file:/x" })).toBe("{{");
  });

  test("cannot make much of little", () => {
    const body = Array.from({ length: 1000 }, () => "{{input}}");
    expect(codeOf(() => rendering("x".repeat(100_000)).value(body))).toContain("TEMPLATE_VALUE_REFUSED");
    expect(codeOf(() => rendering("x".repeat(100_000)).text("{{input}}".repeat(1000)))).toContain(
      "16777216 characters at most",
    );
  });
});
