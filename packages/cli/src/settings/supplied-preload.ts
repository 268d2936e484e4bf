// For a process of its own, before it imports anything: `capstan plugin test`.

import { supplyModules } from "./supplied.ts";

supplyModules();
