export { Shell, type Program, type ProgramCall } from "./interpreter.ts";
export { Unsupported } from "./syntax.ts";
