/** What a shell script says, as a tree. The subset is that of POSIX's shell which maintainers' scripts use. */

export type WordPart =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  | {
      readonly kind: "parameter";
      readonly name: string;
      readonly operator: string;
      readonly argument: Word;
      readonly quoted: boolean;
    }
  | { readonly kind: "command"; readonly body: Command; readonly quoted: boolean }
  | { readonly kind: "arithmetic"; readonly expression: Word; readonly quoted: boolean };

export type Word = readonly WordPart[];

export interface Redirection {
  readonly descriptor: number;
  readonly operator: "<" | ">" | ">>" | ">&" | "<&" | "<<";
  /** A path, a number, or the text of a here-document. */
  target: Word;
}

export type Command = CommandBody & { readonly redirections: readonly Redirection[] };

type CommandBody =
  | {
      readonly kind: "simple";
      readonly assignments: readonly { readonly name: string; readonly value: Word }[];
      readonly words: readonly Word[];
    }
  | { readonly kind: "pipeline"; readonly commands: readonly Command[]; readonly isNegated: boolean }
  | { readonly kind: "both"; readonly operator: "&&" | "||"; readonly left: Command; readonly right: Command }
  | { readonly kind: "list"; readonly commands: readonly Command[] }
  | {
      readonly kind: "if";
      readonly clauses: readonly { readonly condition: Command; readonly body: Command }[];
      readonly otherwise: Command | undefined;
    }
  | {
      readonly kind: "case";
      readonly word: Word;
      readonly items: readonly { readonly patterns: readonly Word[]; readonly body: Command }[];
    }
  | {
      readonly kind: "for";
      readonly name: string;
      /** Absent: the positional parameters. */
      readonly words: readonly Word[] | undefined;
      readonly body: Command;
    }
  | { readonly kind: "while"; readonly isUntil: boolean; readonly condition: Command; readonly body: Command }
  | { readonly kind: "function"; readonly name: string; readonly body: Command }
  | { readonly kind: "group"; readonly body: Command }
  | { readonly kind: "subshell"; readonly body: Command };

/** Something that cannot be followed here; the system itself has to do it. */
export class Unsupported extends Error {}
