// QuickJS in WebAssembly, a new instance for each guest: nothing of one's memory is ever another's, and what a guest leaves
// broken is dropped with it. Compiled once, an instance costs 2 ms.
// Its memory's maximum is the limit. QuickJS's own counts nothing here: it asks the allocator how large blocks are, and
// under Emscripten that answers 0.

import variant from "@jitl/quickjs-singlefile-mjs-release-sync";
import { newQuickJSWASMModuleFromVariant, newVariant, type QuickJSWASMModule } from "quickjs-emscripten-core";

const PAGE_BYTES = 65_536;
/** What the program declares, and so takes at once. */
const INITIAL_PAGES = 256;

let compiled: Promise<WebAssembly.Module> | undefined;

/** `memory`: bytes, 16 MiB at least. */
export async function newQuickJS(memory: number): Promise<QuickJSWASMModule> {
  compiled ??= compile();
  const wasmMemory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: Math.floor(memory / PAGE_BYTES) });
  return newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule: await compiled, wasmMemory }));
}

/** The package has the program within its text, and hands it to nobody but this function of the platform. */
async function compile(): Promise<WebAssembly.Module> {
  const { instantiate } = WebAssembly;
  const program = Promise.withResolvers<BufferSource>();
  const watched = (bytes: BufferSource, imports?: WebAssembly.Imports) => {
    program.resolve(bytes);
    return instantiate(bytes, imports);
  };
  WebAssembly.instantiate = watched as typeof instantiate;
  try {
    await newQuickJSWASMModuleFromVariant(variant);
  } finally {
    WebAssembly.instantiate = instantiate;
  }
  return WebAssembly.compile(await program.promise);
}
