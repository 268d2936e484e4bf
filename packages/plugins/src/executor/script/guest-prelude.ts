// What is evaluated in every guest before its own source: the capabilities that it is handed, made of one host function that
// takes strings. It keeps the intrinsics it uses, so that a guest which changes them fools itself alone; and a guest that
// got hold of the host function would have nothing that it does not have anyway.

/** Codes of what the host refuses at once, by what it answers to an ask. */
export const REFUSED = {
  [-1]: { code: "SCRIPT_CALLS", message: "more than 100 performs, or 1,000 uses of files, in one run" },
  [-2]: {
    code: "SCRIPT_OUTPUT",
    message: "it hands more to one call than its `output` allows, or more than 16 MiB to all of them",
  },
  [-3]: { code: "SCRIPT_DEPTH", message: "what it hands to a call is nested deeper than 100 levels" },
} as const;

/** An expression: `(host, given) => { start, failed, settle }`. `host(kind, …strings)` answers a number. */
export const GUEST_PRELUDE = `(function (host, given, input, mostOutput, refused) {
  "use strict";
  delete globalThis.SharedArrayBuffer;
  delete globalThis.Atomics;
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const { assign, freeze } = Object;
  const ThePromise = Promise, TheError = Error, TheTypeError = TypeError;
  const then = Promise.prototype.then;
  const slice = String.prototype.slice;
  const faults = new WeakMap();
  const { get: faultOf, set: setFault } = WeakMap.prototype;
  const waiting = { __proto__: null };
  const cut = (text, most) => (text.length > most ? apply(slice, text, [0, most]) : text);

  function errorOf(index, fault) {
    const error = new TheError(fault.message);
    error.code = fault.code;
    if (fault.details !== undefined) error.details = fault.details;
    apply(setFault, faults, [error, index]);
    return error;
  }
  function ask(what, data) {
    const text = stringify(data);
    return new ThePromise((resolve, reject) => {
      const index = text.length > mostOutput ? -2 : host("ask", what, text);
      if (index < 0) reject(errorOf(index, parse(refused)[index]));
      else waiting[index] = { __proto__: null, resolve, reject };
    });
  }
  function line(level) {
    return (...parts) => {
      let text = "";
      for (let i = 0; i < parts.length && text.length < 1000; i++) {
        const part = parts[i];
        let shown;
        try {
          shown = typeof part === "string" ? part : part instanceof TheError ? \`\${part}\` : stringify(part) ?? \`\${part}\`;
        } catch {
          shown = typeof part;
        }
        text += (i === 0 ? "" : " ") + cut(shown, 1000);
      }
      host("log", level, cut(text, 1000));
    };
  }
  function word(value, name) {
    if (typeof value !== "string") throw new TheTypeError(\`\${name} must be a string\`);
    return value;
  }
  const info = line("info"), warn = line("warn");
  globalThis.console = { debug: info, info, log: info, warn, error: warn };
  const { files, ...rest } = parse(given);
  // As in a module (\`log.info(…)\`), and plain.
  const log = freeze(assign((...parts) => info(...parts), { debug: info, info, warn, error: warn }));
  const capstan = { ...rest, log, perform: (name, input) => ask("perform", { name: word(name, "perform: name"), input }) };
  if (files) {
    capstan.fs = freeze({
      readText: (path) => ask("readText", { path: word(path, "fs.readText: path") }),
      writeText: (path, text) => ask("writeText", { path: word(path, "fs.writeText: path"), text: word(text, "fs.writeText: text") }),
      list: (path = ".") => ask("list", { path: word(path, "fs.list: path") }),
      stat: (path) => ask("stat", { path: word(path, "fs.stat: path") }),
    });
  }
  freeze(capstan);

  function finish(value) {
    let text;
    try {
      text = value === undefined ? "" : stringify(value);
      if (text === undefined) throw new TheTypeError(\`the output is no JSON: \${typeof value}\`);
    } catch (thrown) {
      return failed(thrown);
    }
    if (text.length > mostOutput) host("large");
    else host("output", text);
  }
  function failed(thrown) {
    const known = typeof thrown === "object" && thrown !== null ? apply(faultOf, faults, [thrown]) : undefined;
    if (known !== undefined) return void host("refused", \`\${known}\`);
    let text = "", stack = "";
    try {
      text = thrown instanceof TheError ? \`\${thrown.name}: \${thrown.message}\` : \`\${thrown}\`;
    } catch {}
    try {
      stack = \`\${thrown.stack}\`;
    } catch {}
    host("threw", cut(text, 400), cut(stack, 2000));
  }
  return {
    failed,
    start(run) {
      try {
        if (typeof run !== "function") throw new TheTypeError("the default export is no function");
        const value = input === undefined ? undefined : parse(input);
        apply(then, new ThePromise((resolve) => resolve(run(value, capstan))), [finish, failed]);
      } catch (thrown) {
        failed(thrown);
      }
    },
    settle(index, text, fault) {
      const one = waiting[index];
      delete waiting[index];
      if (fault === undefined) one.resolve(text === undefined ? undefined : parse(text));
      else one.reject(errorOf(index, parse(fault)));
    },
  };
})`;
