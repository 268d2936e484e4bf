// All rules, in the order in which they are reported. A new one is a file under rules/ and a line here; rules.test.ts
// refuses one that no bad example has made fail.

import type { Rule } from "./repository.ts";
import { declaredFaults } from "./rules/declared-faults.ts";
import { everyTestRuns } from "./rules/every-test-runs.ts";
import { fileSize } from "./rules/file-size.ts";
import { frontDoors } from "./rules/front-doors.ts";
import { headerComments } from "./rules/header-comments.ts";
import { importDirection } from "./rules/import-direction.ts";
import { kernelNamesNoPlugin } from "./rules/kernel-names-no-plugin.ts";
import { lightStart } from "./rules/light-start.ts";
import { names } from "./rules/names.ts";
import { noEscapes } from "./rules/no-escapes.ts";
import { noMachinePaths, pathsOfThisMachine } from "./rules/no-machine-paths.ts";
import { pluginFolderShape } from "./rules/plugin-folders.ts";
import { purity } from "./rules/purity.ts";

export function rules(root: string): Rule[] {
  return [
    importDirection,
    frontDoors,
    kernelNamesNoPlugin,
    lightStart,
    purity,
    pluginFolderShape,
    declaredFaults,
    noEscapes,
    everyTestRuns,
    headerComments,
    fileSize,
    names,
    noMachinePaths(pathsOfThisMachine(root)),
  ];
}
