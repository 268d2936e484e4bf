// Messages as a command line sees them: name, summary, and the JSON Schema of their data. The standard ones are known without a
// server, and without the plugins: from a file that is made of these. A running server lists its own, its plugins' included.

export interface DescribedMessage {
  /** `action.perform` */
  readonly name: string;
  readonly kind: string;
  readonly summary: string;
  readonly plugin: string;
  /** JSON Schema. */
  readonly data: unknown;
}

/** The messages of the kernel and of the standard plugins. */
export async function standardMessages(): Promise<readonly DescribedMessage[]> {
  return (await import("./standard-messages.json", { with: { type: "json" } })).default;
}

export function resourceOf({ name }: DescribedMessage): string {
  return name.slice(0, name.indexOf("."));
}

export function verbOf({ name }: DescribedMessage): string {
  return name.slice(name.indexOf(".") + 1);
}
