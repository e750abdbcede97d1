// What Pulumi starts: the program of index.ts, on a Node that runs it.
import { program } from "../entry.js";

export default program(() => import("./index.ts"));
