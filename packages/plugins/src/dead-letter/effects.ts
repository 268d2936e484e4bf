// Redriving: what a letter says is asked in the name of whoever redrives it, like any message of theirs. That it is accepted
// is said by its owner, in the same commit; then this is owed no more, and nobody looks at what it answers.

import { type EffectHandler, type Fault, faultOf, type Message, type Principal } from "@capstan/orchestrator";

interface RedriveData {
  readonly id: string;
  readonly asks: Message;
  /** What the caller's scope was narrowed to. */
  readonly may?: Principal["may"];
}

export const redriveEffect: EffectHandler = {
  async carryOut({ data, owing, principal, grant }, runtime) {
    const { id, asks, may } = data as RedriveData;
    try {
      // Under a key: after a restart it joins what it asked before, should that be held.
      await runtime.apply(asks, { principal, grant, may }, { key: owing });
    } catch (thrown) {
      return stay(id, owing, faultOf(thrown));
    }
    // Its owner did not say so: it went through all the same.
    return { resource: "deadLetter", action: "leave", data: { id } };
  },
  failed: ({ data, owing }, error) => stay((data as RedriveData).id, owing, error),
  lost: ({ data, owing }) => stay((data as RedriveData).id, owing, faultOf(undefined)),
};

function stay(id: string, redrive: string, error: Fault): Message {
  return { resource: "deadLetter", action: "stay", data: { id, redrive, error } };
}
