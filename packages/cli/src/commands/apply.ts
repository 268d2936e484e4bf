// `capstan apply`: any message, as the wire has it. What has no command of its own can be asked with it.

import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { usageFault } from "../fault/thrown.ts";
import { inputText, jsonInput, parseJson } from "../input/json-input.ts";
import { addCallOptions, callOptions } from "../messages/call-options.ts";
import { answered, converse } from "../remote/ask.ts";

export function applyCommand(program: Command, cli: Cli): void {
  const command = program
    .command("apply")
    .description("Send any message.")
    .argument(
      "[resource]",
      'the resource, or RESOURCE.VERB; or the whole message as JSON, @file, or - (also when left out): {"resource", "action", "data"}',
    )
    .argument("[verb]", "left out after RESOURCE.VERB")
    .argument("[data]", "JSON, @file, or - for standard input")
    .action(async (resource: string | undefined, verb: string | undefined, data: string | undefined, flags) => {
      const message = resource === undefined ? await piped(cli, command) : await messageOf(cli, resource, verb, data);
      const [answer] = await converse(await cli.target(), (send) => [
        send(message.name, message.data, callOptions(flags)),
      ]);
      cli.printer.data(answered(answer));
    });
  addCallOptions(command);
  command.examples(
    `capstan apply action describe '{"name":"greet"}'`,
    `capstan apply action.describe '{"name":"greet"}'`,
    `echo '{"resource":"action","action":"list","data":{}}' | capstan apply`,
  );
}

const FORMS = "write capstan apply RESOURCE VERB [DATA], or RESOURCE.VERB [DATA]";

/** Nothing was said: it is on standard input. */
async function piped({ io }: Cli, command: Command) {
  const { text, from } = await inputText(io, "-", "the message");
  return text.trim() === "" ? command.missing(["<resource>"]) : wholeMessage(parseJson(text, from));
}

async function messageOf(cli: Cli, resource: string, verb: string | undefined, data: string | undefined) {
  if (resource === "-" || /^[{@]/.test(resource)) {
    if (verb !== undefined) throw usageFault(`apply: "${printable(verb)}" follows a whole message; ${FORMS}`);
    return wholeMessage(await jsonInput(cli.io, resource, "the message"));
  }
  if (resource.includes(".")) {
    if (data === undefined) return inParts(cli, resource, verb);
    throw usageFault(`apply ${printable(resource)}: "${printable(data)}" is one word too many; ${FORMS}`);
  }
  if (verb === undefined || verb === "-" || /^[{@]/.test(verb)) {
    throw usageFault(`apply ${printable(resource)}: a verb is missing; ${FORMS}`);
  }
  return inParts(cli, `${resource}.${verb}`, data);
}

async function inParts(cli: Cli, name: string, data: string | undefined) {
  return { name, data: data === undefined ? {} : await jsonInput(cli.io, data, `the data of ${name}`) };
}

function wholeMessage(message: unknown) {
  const { resource, action, data, ...rest } = (message ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof resource !== "string" || typeof action !== "string") {
    throw new FaultError(fault("JSON_INVALID", 'the message is no {"resource": text, "action": text, "data": …}'));
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw new FaultError(
      fault("JSON_INVALID", `the message has an unknown "${unknown}"; there is resource, action and data`),
    );
  return { name: `${resource}.${action}`, data: data ?? {} };
}
