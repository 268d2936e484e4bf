// DESIGN §7: what is in a plugin's folder, so that each is found where the last one's was.

import { pluginFolders, type Rule } from "../repository.ts";

export const pluginFolderShape: Rule = {
  name: "a plugin's folder has its README, its schema, its decide and tests",
  check(repository) {
    const paths = repository.files.map(({ path }) => path);
    return pluginFolders(repository).flatMap((name) => {
      const folder = `packages/plugins/src/${name}`;
      const missing = ["README.md", "schema.ts", `${name}.ts`].filter((file) => !paths.includes(`${folder}/${file}`));
      if (!paths.some((path) => path.startsWith(`${folder}/`) && path.endsWith(".test.ts")))
        missing.push("a *.test.ts");
      return missing.map((file) => ({ path: folder, text: `${file} is missing` }));
    });
  },
};
