// One step of a neighbor: dispatches an input to the working state in course.ts, which steps the sessions.

import type { SessionContext } from "../session/context.ts";
import { messageInput } from "../session/input.ts";
import { Course } from "./course.ts";
import type { Neighbor, NeighborInput, NeighborStep } from "./neighbor.ts";

/** One step of a neighbor: the next value, what is to be done, and why. Pure. */
export function stepNeighbor(neighbor: Neighbor, input: NeighborInput, context: SessionContext): NeighborStep {
  const course = new Course(neighbor, context);
  take(course, input);
  course.settle();
  return course.end();
}

function take(course: Course, input: NeighborInput): void {
  switch (input.type) {
    case "start":
      course.start();
      break;
    case "stop":
      course.stop({ ...input, type: "manual-stop" });
      break;
    case "going-down":
      course.stop(input);
      break;
    case "limit":
      course.limit(input);
      break;
    case "accepted":
      course.accept(input.connection, input.open);
      break;
    case "made":
      course.stepDialled({ type: "connection-made", connection: input.connection });
      break;
    case "failed":
      course.fail(input.connection, input.text);
      break;
    case "message":
      course.stepOn(input.connection, messageInput(input.message));
      break;
    case "malformed":
      course.stepOn(input.connection, { ...input, type: "malformed-message" });
      break;
    case "update-error":
      course.stepOn(input.connection, input);
      break;
    case "send":
      course.send(input.message);
      break;
    case "tick":
      course.tick();
      break;
    default:
      input satisfies never;
  }
}
