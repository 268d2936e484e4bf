// STYLE: files are about 120 lines, 400 at most, tests included. A longer one has more than one noun in it.

import type { Rule } from "../repository.ts";

const MOST = 400;

export const fileSize: Rule = {
  name: `no file of a package is over ${MOST} lines`,
  check(repository) {
    return repository.files
      .filter((file) => /^packages\/[^/]+\/src\//.test(file.path) && !/\.(json|md)$/.test(file.path))
      .map((file) => ({ path: file.path, lines: file.text.replace(/\n$/, "").split("\n").length }))
      .filter(({ lines }) => lines > MOST)
      .map(({ path, lines }) => ({ path, text: `${lines} lines; split it by noun` }));
  },
};
