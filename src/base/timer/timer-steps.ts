/** Where something that runs regularly is written, and by what it is run. */
export interface TimerPlace {
  /** What units and entries are called. */
  readonly name: string;
  /** The command that makes them, as their first line says: what it does not name is somebody else's. */
  readonly madeBy: string;
  readonly scope: "system" | "user";
  readonly env: NodeJS.ProcessEnv;
  /** Only the files, into this folder; nothing is started. */
  readonly output?: string;
}

export interface TimerFile {
  readonly path: string;
  readonly text: string;
}

/** What is done to have a plan run regularly, or no longer: nothing of it has happened yet. */
export interface TimerSteps {
  /** Run while everything is as it was. */
  readonly first: readonly TimerCommand[];
  readonly files: readonly TimerFile[];
  /** Where they are there. */
  readonly removed: readonly string[];
  /** Run once the files are as they should be. */
  readonly commands: readonly TimerCommand[];
  /** What a user should know. */
  readonly notes: readonly string[];
}

export interface TimerCommand {
  readonly words: readonly string[];
  /** What it reads. */
  readonly input?: string;
  /** What it undoes may have been undone before. */
  readonly mayFail?: true;
}

export const noSteps: TimerSteps = { first: [], files: [], removed: [], commands: [], notes: [] };
