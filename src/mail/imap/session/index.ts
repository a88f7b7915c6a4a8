export { type Answer, answerOf, answerText, No, no, ok } from "./answer.ts";
export {
  always,
  type Command,
  defineCommand,
  nothing,
  type ParseContext,
  whenLoggedIn,
  whenSelected,
} from "./command.ts";
export { flagsText, permanentFlagsText } from "./flags.ts";
export { type NumberedMessage, Selected, type Telling } from "./selected.ts";
export { type Extension, Session } from "./session.ts";
