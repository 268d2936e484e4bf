// What every chapter is given: where to print and claim, the operator's directory, and who asks which server.

import type { ServerProcess } from "../server-process.ts";
import type { Story } from "../story.ts";
import type { Workspace } from "../workspace.ts";

export interface Stage {
  readonly story: Story;
  readonly workspace: Workspace;
  /** The server that runs now; a chapter that kills it puts the next one here. */
  server: ServerProcess;
}

/** The administrator's own credential, at the server that runs now. */
export function admin({ server, workspace }: Stage): { readonly url: string; readonly token: string } {
  return { url: server.url, token: workspace.adminToken };
}
