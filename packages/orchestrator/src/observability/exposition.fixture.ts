// A reader of Prometheus' text format for tests, as strict as promtool where it matters:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/** @throws where promtool would */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, what, name = "", rest = ""] = comment;
      if (!NAME.test(name)) throw new Error(`no name: ${line}`);
      if (what === "HELP") helps.set(name, rest);
      else if (families.has(name)) throw new Error(`a second TYPE: ${line}`);
      else families.set(name, { type: rest, help: helps.get(name) ?? "", samples: [] });
      continue;
    }
    const [, name = "", labelled, value = ""] = SAMPLE.exec(line) ?? [];
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
    if (family === undefined) throw new Error(`a sample of no family: ${line}`);
    if (family.help === "") throw new Error(`no HELP: ${line}`);
    if (!Number.isFinite(Number(value))) throw new Error(`no number: ${line}`);
    const labels = labelsOf(labelled ?? "");
    const series = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(series)) throw new Error(`twice: ${line}`);
    seen.add(series);
    family.samples.push({ name, labels, value: Number(value) });
  }
  for (const [name, family] of families) check(name, family);
  return families;
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    if (found === null) throw new Error(`no labels: ${text}`);
    labels[found[1] as string] = found[2] as string;
  }
  return labels;
}

function check(name: string, { type, samples }: Family): void {
  if (type === "counter" && !name.endsWith("_total"))
    throw new Error(`${name} is a counter and does not end in _total`);
  if (type !== "histogram") return;
  const series = new Map<string, { buckets: [number, number][]; count: number | undefined }>();
  for (const sample of samples) {
    const { le, ...rest } = sample.labels;
    const key = JSON.stringify(rest);
    const one = series.get(key) ?? { buckets: [], count: undefined };
    series.set(key, one);
    if (le !== undefined) one.buckets.push([le === "+Inf" ? Infinity : Number(le), sample.value]);
    if (sample.name.endsWith("_count")) one.count = sample.value;
  }
  for (const { buckets, count } of series.values()) {
    const rising = buckets.every(
      ([le, n], i) => i === 0 || (le > (buckets[i - 1]?.[0] ?? 0) && n >= (buckets[i - 1]?.[1] ?? 0)),
    );
    if (!rising || buckets.at(-1)?.[0] !== Infinity || buckets.at(-1)?.[1] !== count)
      throw new Error(`${name}: its buckets`);
  }
}
