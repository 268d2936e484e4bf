import { describeTransport } from "../conformance/conformance.fixture.ts";
import { irohWire } from "./iroh.fixture.ts";

describeTransport(irohWire);
