import type { Machine } from "./machine.ts";

/** Something that runs virtual machines, and how it wants to be told of one. */
export interface Target {
  /** What it is called in sentences. */
  readonly title: string;
  /** What a name may be. */
  readonly name: NameRule;
  readonly configure: (machine: Machine) => Configuration;
  /** The commands that start the machine and show its console, once the configuration is in this file. */
  readonly nextSteps: (machine: Machine, file: string) => readonly string[];
  /** The configuration is a script, to be run. */
  readonly isScript: boolean;
}

export interface NameRule {
  readonly pattern: RegExp;
  /** "letters, digits, . and -": how messages put it. */
  readonly words: string;
  /** What takes the place of characters that it does not have. */
  readonly filler: string;
}

export interface Configuration {
  readonly text: string;
  /** The machine has the firmware that was chosen, and not just a kernel. */
  readonly usesFirmware: boolean;
  /** What the user should know, one sentence each. */
  readonly warnings: readonly string[];
}
