// Which settings a configuration file says, told by its text: to load it is to load its plugins, and whoever asks a node wants to know at
// most where the node's data is. Where the text leaves any doubt there is no answer, and the file is loaded.

const ORCHESTRATOR = "@capstan/orchestrator";
/** In words as `inWords` says them. */
const IMPORT = /(?:^| )import \{ ([^{}]*)\} from @capstan\/orchestrator(?= |$)/g;
/** Space and comments; a text; a word; anything else. */
const TOKEN =
  /(?<gap>(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)+)|(?<text>"[^"\\\n]*"|'[^'\\\n]*')|(?<word>[\w$]+)|(?<sign>[\s\S])/y;
/** What may come behind the object: nothing that makes another value of it. */
const END = /^\s*(?:satisfies \w+\s*)?(?:;|$)/;
/** A regular expression, a template or an escape could hide anything. */
const DOUBTFUL = ["/", "`", "\\", '"', "'"];

/** The keys of the object that the file exports; `undefined` where its text does not tell them for certain. */
export function exportedKeys(source: string): ReadonlySet<string> | undefined {
  // Whoever is loaded may set our variables, which name whom a command asks, and as whom.
  if (source.includes("CAPSTAN_")) return undefined;
  const literal = exportedLiteral(source);
  const object = literal && objectFrom(source, literal.start);
  const rest = object && source.slice(object.end);
  const after = literal?.defined ? rest?.replace(/^\s*\)/, "") : rest;
  return after !== undefined && END.test(after) ? object?.keys : undefined;
}

/** Behind the `{` of what is exported, and whether `defineConfig` is around it. Comments and texts are none of the file's statements. */
function exportedLiteral(source: string): { readonly start: number; readonly defined: boolean } | undefined {
  const before: Token[] = [];
  for (const token of tokens(source, 0)) {
    if (token.sign !== undefined && DOUBTFUL.includes(token.sign)) return undefined;
    before.push(token);
    if (token.sign !== "{") continue;
    const last = inWords(before.slice(-5));
    if (/(?:^| )export default \{$/.test(last)) return { start: token.end, defined: false };
    if (last === "export default defineConfig ( {")
      return isOurs(before) ? { start: token.end, defined: true } : undefined;
  }
  return undefined;
}

/** Whether `defineConfig` is what the orchestrator calls so, and nothing under its name. */
function isOurs(before: readonly Token[]): boolean {
  return [...inWords(before).matchAll(IMPORT)].some(([, names = ""]) =>
    names.split(",").some((name) => name.trim() === "defineConfig"),
  );
}

/** One space between them, and of texts none but that name. */
function inWords(all: readonly Token[]): string {
  return all.map(({ text, word, sign }) => (text === undefined ? (word ?? sign) : named(text))).join(" ");
}

const named = (text: string): string => (text.slice(1, -1) === ORCHESTRATOR ? ORCHESTRATOR : '""');

/** Of the object whose `{` stands before `from`: its keys, and what comes behind its `}`. */
function objectFrom(
  source: string,
  from: number,
): { readonly keys: ReadonlySet<string>; readonly end: number } | undefined {
  const keys = new Set<string>();
  let depth = 0;
  /** What stands where a key does, until it is known to be one. */
  let key: string | undefined;
  let isValue = false;
  for (const { text, word, sign, end } of tokens(source, from)) {
    if (sign !== undefined && DOUBTFUL.includes(sign)) return undefined;
    if (sign === "}" && depth === 0) return { keys: key === undefined ? keys : keys.add(key), end };
    if (depth > 0 || isValue) {
      if (sign === "{" || sign === "[" || sign === "(") depth++;
      else if (sign === "}" || sign === "]" || sign === ")") depth--;
      else if (sign === "," && depth === 0) isValue = false;
    } else if (key === undefined) {
      key = word ?? text?.slice(1, -1);
      // `...base`, `[name]: value`; and what the object inherits has any keys.
      if (key === undefined || key === "__proto__") return undefined;
    } else {
      // `get data() {…}` and methods too: whoever has such a file has it loaded.
      if (sign !== ":" && sign !== ",") return undefined;
      isValue = sign === ":";
      keys.add(key);
      key = undefined;
    }
  }
  return undefined;
}

interface Token {
  readonly text?: string;
  readonly word?: string;
  readonly sign?: string;
  /** Where the next one begins. */
  readonly end: number;
}

/** From there on, without gaps. */
function* tokens(source: string, from: number): Generator<Token> {
  for (let at = from; at < source.length; ) {
    TOKEN.lastIndex = at;
    const { 0: whole, groups = {} } = TOKEN.exec(source) as RegExpExecArray;
    at += whole.length;
    if (groups.gap === undefined) yield { ...groups, end: at };
  }
}
