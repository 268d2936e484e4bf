// The files of a new protocol: small, whole and working, with each part that one is likely to need, and the suite that every
// protocol passes.

import type { PluginNames } from "./plugin-template.ts";

/** File name → text. */
export function protocolFiles({ kebab, camel, upper }: PluginNames): Readonly<Record<string, string>> {
  return {
    [`${kebab}.ts`]: `// The protocol ${kebab}: sends one line over TCP and gives the line that comes back. Replace what it talks to with yours.

import { FaultError, fault } from "@capstan/orchestrator";
import { defineProtocol, secret } from "@capstan/plugins";
import { z } from "zod";

const LONGEST_LINE = 64 * 1024;

export const ${camel} = () =>
  defineProtocol({
    name: "${kebab}",
    summary: "A server that answers a line with a line, over TCP.",
    // A closed object. It is checked when an action is registered, and again each time that one runs.
    configSchema: z.strictObject({
      host: z.string().min(1).max(253),
      port: z.number().int().min(1).max(65_535),
      // { secret: "env:NAME" }: the text itself is here when it runs, and in nothing that leaves the run.
      password: secret(z.string().regex(/^[^\\r\\n]+$/, "must be one line")).optional(),
    }),
    // Codes of its own; what is retryable is tried again, where the action is idempotent.
    faults: {
      ${upper}_UNREACHABLE: { status: 502, retryable: true, text: "Nobody answers at host and port." },
      ${upper}_REFUSED: { status: 502, retryable: false, text: "The server answered with an error; the text is its own." },
    },
    // What is wrong that the schema cannot say.
    validateConfig: ({ host }) =>
      /^[\\w.:-]+$/.test(host) ? undefined : fault("CONFIG_INVALID", '"host" is no name of a host, and no address'),
    // What the grant of whoever registers has to allow: \`--allow tcp.connect:printer:9100\`.
    rights: ({ host, port }) => [{ resource: "tcp", verb: "connect", name: \`\${host}:\${port}\` }],
    // Asked by \`capstan protocol test ${kebab}\`, before anything is registered.
    async testConnection({ host, port }, signal) {
      try {
        await ask(host, port, "ping\\n", signal);
        return undefined;
      } catch (thrown) {
        if (thrown instanceof FaultError) return thrown.toFault();
        throw thrown;
      }
    },
    // Whatever is thrown becomes the execution's fault. Stop when the signal says so.
    async execute({ configuration: { host, port, password }, input, signal }) {
      if (typeof input !== "string" || /[\\r\\n]/.test(input)) {
        throw new FaultError(fault("INPUT_INVALID", "the input must be one line of text"));
      }
      const answer = await ask(host, port, \`\${password === undefined ? "" : \`\${password} \`}\${input}\\n\`, signal);
      if (answer.startsWith("error ")) throw new FaultError(fault("${upper}_REFUSED", answer.slice("error ".length)));
      return answer;
    },
  });

async function ask(hostname: string, port: number, line: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const answered = Promise.withResolvers<string>();
  const unreachable = (why: string) =>
    answered.reject(new FaultError(fault("${upper}_UNREACHABLE", \`\${hostname}:\${port}: \${why}\`)));
  const abort = () => answered.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  let received = "";
  const decoder = new TextDecoder();
  const connecting = Bun.connect({
    hostname,
    port,
    socket: {
      open: (socket) => void socket.write(line),
      data(_, bytes) {
        received += decoder.decode(bytes, { stream: true });
        const end = received.indexOf("\\n");
        if (end !== -1) answered.resolve(received.slice(0, end));
        else if (received.length > LONGEST_LINE) unreachable(\`its line is longer than \${LONGEST_LINE} characters\`);
      },
      close: () => unreachable("it closed the connection"),
      error: (_, error) => unreachable(error.message),
      connectError: (_, error) => unreachable(error.message),
    },
  });
  connecting.catch((error: Error) => unreachable(error.message));
  try {
    return await answered.promise;
  } finally {
    signal.removeEventListener("abort", abort);
    // Also where it is still connecting: then nobody is left who would.
    connecting.then((socket) => socket.end()).catch(() => undefined);
  }
}
`,
    [`${kebab}.test.ts`]: `// The protocol ${kebab}, by the suite that every protocol passes, against a server of the test's own.

import { describe, expect, test } from "bun:test";
import { protocolConformance } from "@capstan/plugins";
import { ${camel} } from "./${kebab}.ts";

/** Answers a line with itself; \`hang\` with nothing, \`fail\` with an error that holds the whole line. */
const server = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    data(socket, bytes) {
      const line = bytes.toString().trimEnd();
      if (line.endsWith("hang")) return;
      socket.write(line.endsWith("fail") ? \`error cannot do: \${line}\\n\` : \`\${line}\\n\`);
    },
  },
});
const configuration = { host: "127.0.0.1", port: server.port };

protocolConformance(
  { describe, test, expect },
  {
    protocol: () => ${camel}(),
    works: () => ({ configuration, input: "hello", output: "hello" }),
    invalid: [
      { configuration: { host: "127.0.0.1" }, says: '"port" is required' },
      { configuration: { host: "a b", port: 1 }, says: '"host"' },
      { configuration: { host: "a", port: 70_000 }, says: '"port"' },
    ],
    // Nothing listens on a port that was just given back.
    unreachable() {
      const gone = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
      const { port } = gone;
      gone.stop(true);
      return { configuration: { host: "127.0.0.1", port }, input: "hello", code: "${upper}_UNREACHABLE" };
    },
    hangs: () => ({ configuration, input: "hang" }),
    fails: () => ({ configuration, input: "fail", code: "${upper}_REFUSED" }),
    leaks: (secret) => ({ configuration: { ...configuration, password: secret }, input: "fail" }),
    notJson: () => "it gives a line of text, which is JSON whatever it says",
    after: () => server.stop(true),
  },
);
`,
    "README.md": `# ${kebab}

Sends one line over TCP and gives the line that comes back.

| | |
| --- | --- |
| configuration | \`host\`, \`port\`, \`password?\` (\`{ "secret": "env:NAME" }\`) |
| rights | \`tcp.connect:HOST:PORT\`, and \`secret.use:env:NAME\` for a secret |
| faults | \`${upper}_UNREACHABLE\` (tried again), \`${upper}_REFUSED\` |

\`\`\`ts
// capstan.config.ts
import { defineConfig } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { ${camel} } from "./${kebab}/${kebab}.ts";

export default defineConfig({ plugins: standard({ protocols: [${camel}()] }) });
\`\`\`

\`\`\`
$ capstan serve
$ capstan protocol test ${kebab} --configuration '{"host":"127.0.0.1","port":9100}'
$ capstan action register say --protocol ${kebab} --configuration '{"host":"127.0.0.1","port":9100}'
$ capstan perform say '"hello"'
\`\`\`

\`capstan plugin test ${kebab}\` runs its test: the suite that every protocol passes.
`,
  };
}
