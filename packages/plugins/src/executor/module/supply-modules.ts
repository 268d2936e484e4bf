// What an operator's module imports from us comes out of the running program: one copy of zod and of ours, also in a
// compiled binary, which has no node_modules.

const supplied = new Map<string, object>();

/**
 * From now on `import … from name` gives these exports, in the whole process. A name that is supplied already keeps what
 * it has: what was imported of it is in use.
 */
export function supplyModules(modules: Readonly<Record<string, object>>): void {
  const added = Object.entries(modules).filter(([name]) => !supplied.has(name));
  if (added.length === 0) return;
  for (const [name, exports] of added) supplied.set(name, exports);
  Bun.plugin({
    name: `capstan: ${added.map(([name]) => name).join(", ")}`,
    setup(build) {
      for (const [name, exports] of added)
        build.module(name, () => ({ exports: exports as Record<string, unknown>, loader: "object" }));
    },
  });
}
