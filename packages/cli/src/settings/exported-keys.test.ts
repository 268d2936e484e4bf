import { describe, expect, test } from "bun:test";
import { exportedKeys } from "./exported-keys.ts";

const IMPORT = 'import { defineConfig } from "@capstan/orchestrator";\n';

describe("the keys of a configuration", () => {
  test.each([
    ["export default {};", []],
    ['export default { name: "osaka" };', ["name"]],
    [`${IMPORT}export default defineConfig({\n  name: "a",\n  "listen": \`\`.length,\n});`, undefined],
    [
      `${IMPORT}export default defineConfig({\n  name: "osaka", // data: none\n  plugins: [...standard(), tea()],\n});\n`,
      ["name", "plugins"],
    ],
    [
      `import { standard } from "@capstan/plugins";\n${IMPORT}export default defineConfig({ "data": "x", limits: { listen: 1, a: [{}] } });`,
      ["data", "limits"],
    ],
    ["/*\nexport default { name: 1 };\n*/\n  export default { data: 1 };", ["data"]],
    [
      'import {\n  tea, // export default { name: 1 };\n  defineConfig,\n} from "@capstan/orchestrator";\nexport default defineConfig({ data });',
      ["data"],
    ],
    ["export default { name, /* data */ plugins };", ["name", "plugins"]],
    ["export default { name: f({ data: 1 }, (a, b) => [a, b]), plugins: [] } satisfies Config;", ["name", "plugins"]],
  ])("are read: %s", (source, keys) => {
    const found = exportedKeys(source);
    expect(found && [...found]).toEqual(keys as string[]);
  });

  test.each([
    ["export default { ...base };"],
    ["export default { name, ...base };"],
    ['export default { ["da" + "ta"]: "x" };'],
    ['export default { "d\\u0061ta": "x" };'],
    ["export default { d\\u0061ta: 1 };"],
    ["export default { get data() { return 1 } };"],
    ["export default { data() {} };"],
    ["export default { __proto__: base };"],
    ['export default { "__proto__": base };'],
    ["export default { name: /}/, data: 1 };"],
    ["export default { name: a / b, data: c / d };"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a program
    ["export default { name: `${`}`}`, data: 1 };"],
    ['export default { name: "a\\"}", data: 1 };'],
    ["export default { name: 1 } && base;"],
    ["export default { name: base }.name;"],
    [`${IMPORT}export default defineConfig({ name: 1 }).other;`],
    ["export default base;"],
    ["export default defineConfig(base);"],
    ["export default defineConfig({ name: 1 });"],
    ['import { defineConfig } from "./mine.ts";\nexport default defineConfig({ name: 1 });'],
    ["/*\nexport default { name: 1 };\n*/\nconst c = { data: 1 };\nexport { c as default };"],
    ['/*\nexport default { name: 1 };\n*/\nexport { default } from "./base.ts";'],
    ["/*\nexport default { name: 1 };\n*/\nmodule.exports = { data: 1 };"],
    ["const old = `\nexport default { name: 1 };\n`;\nexport default { data: 1 };"],
    [`// ${IMPORT}import { defineConfig } from "./mine.ts";\nexport default defineConfig({ name: 1 });`],
    [`/*\n${IMPORT}*/\nimport { defineConfig } from "./mine.ts";\nexport default defineConfig({ name: 1 });`],
    [
      `const old = ' ${IMPORT.trim()}';\nimport { defineConfig } from "./mine.ts";\nexport default defineConfig({ name: 1 });`,
    ],
    [
      'import { defineConfig as define } from "@capstan/orchestrator";\nconst defineConfig = (c) => define({ data: 1, ...c });\nexport default defineConfig({ name: 1 });',
    ],
    ['import { other as defineConfig } from "@capstan/orchestrator";\nexport default defineConfig({ name: 1 });'],
    [`export ${IMPORT.slice(7)}const defineConfig = (c) => base;\nexport default defineConfig({ name: 1 });`],
    ['process.env.CAPSTAN_TOKEN = "bob";\nexport default { name: 1 };'],
    ["const c = {};\nexport { c as default };"],
    ["export default { name: 1"],
    [""],
  ])("are not guessed: %s", (source) => {
    expect(exportedKeys(source)).toBeUndefined();
  });
});
