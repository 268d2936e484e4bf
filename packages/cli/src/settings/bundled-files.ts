// What lies beside the program in a compiled binary: nothing in a clone. scripts/binary writes the names here.

export const bundledFiles: readonly string[] = [];
