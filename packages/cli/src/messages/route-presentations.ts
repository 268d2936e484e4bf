// Routes: over whom what is reached, and what was filtered on its way here, by which clause.

import { columns } from "../output/columns.ts";
import { count } from "../output/count.ts";
import { type RoutePath, routeList, routeText } from "../output/peer-text.ts";
import type { Presentation } from "./presentation.ts";

interface Owner {
  readonly node: string;
  readonly routes: readonly string[];
  readonly keys: readonly string[];
}

export const routePresentations: Readonly<Record<string, Presentation>> = {
  "route.list": {
    texts: { peer: "only what this peer announced", filtered: "only what was filtered, and by what" },
    examples: ["capstan route list", "capstan route list --peer osaka --filtered"],
    text: (answer) => routeList((answer as { items: readonly RoutePath[] }).items),
  },
  "route.show": {
    texts: { route: "its name: action:greet" },
    examples: ["capstan route show action:greet"],
    text: (answer) => routeText(answer as Parameters<typeof routeText>[0]),
  },
  "route.owners": {
    text: (answer) =>
      columns(
        (answer as { owners: readonly Owner[] }).owners.map(({ node, routes, keys }) => [
          ...[node, routes.join(", "), keys.join(", ")],
        ]),
      ),
  },
  "route.own": {
    texts: { owners: "JSON: [{routes, node, keys}], @file, or -" },
    examples: ["capstan route own --owners @owners.json"],
    text(answer) {
      const { owners } = answer as { readonly owners: number };
      return `${count(owners)} ${owners === 1 ? "owner" : "owners"}
`;
    },
  },
};
