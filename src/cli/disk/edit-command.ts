import type { Edit, Place } from "../../disk/index.ts";
import {
  jsonOption,
  type Arguments,
  type ArgumentTable,
  type Command,
  type CommandText,
  type OperandTable,
  type OptionTable,
} from "../command.ts";
import { parseFilePlace, type FilePlace } from "../place-in-image.ts";
import { applyEdits } from "./apply-edits.ts";

/** For every command that changes files. */
export const editOptions = {
  "dry-run": {
    kind: "flag",
    help: "find out whether it can be done, print it as a script would have it, change nothing",
  },
  json: jsonOption,
} as const;

/** How a word names a file: on the command line with its image, in a script without. */
export type PlaceReader = (text: string) => FilePlace;

/** What a verb is told to do. */
export interface EditPlan {
  readonly place: Place;
  readonly edit: Edit;
}

/** A verb that changes files: a command, and the same words as a line of a script. */
export interface EditVerb {
  readonly command: Command;
  /** Its words and options as they stand in a script. */
  readonly line: Command;
  readonly plan: (args: ArgumentTable, placeOf: PlaceReader) => EditPlan;
}

interface EditVerbDeclaration<Operands extends OperandTable, Options extends OptionTable> extends CommandText {
  readonly operands: Operands;
  readonly options: Options;
  readonly plan: (args: Arguments<Operands, Options>, placeOf: PlaceReader) => EditPlan;
}

/** Declares a verb once, for the command line and for scripts. */
export function defineEditVerb<const Operands extends OperandTable, const Options extends OptionTable>(
  declaration: EditVerbDeclaration<Operands, Options>,
): EditVerb {
  const { plan, ...text } = declaration;
  const planOf = (args: ArgumentTable, placeOf: PlaceReader): EditPlan =>
    plan(args as Arguments<Operands, Options>, placeOf);
  const command: Command = {
    ...text,
    options: { ...text.options, ...editOptions },
    async run(context, args) {
      const { place, edit } = planOf(args, parseFilePlace);
      await applyEdits(context, place, [{ edit }], { dryRun: args["dryRun"] === true, json: args["json"] === true });
    },
  };
  const word = text.words.at(-1) ?? "";
  return { command, line: { ...command, options: text.options, calledAs: word }, plan: planOf };
}
