import * as fs from "node:fs";
import { Failure } from "../base/index.ts";
import type { TimerSteps } from "../base/timer/index.ts";
import { shellWord } from "../bytes/index.ts";

/** The words that start this program, for whoever is to start it later. */
export function startingWords(): readonly string[] {
  const script = process.argv[1];
  if (script === undefined) throw new Failure("failed", "cannot tell by which words this program was started");
  return [process.execPath, ...process.execArgv, fs.realpathSync(script)];
}

/** What is done to have something run regularly: each file whole, each command. */
export function stepLines({ first, files, removed, commands, notes }: TimerSteps): string[] {
  const run = ({ words, input }: TimerSteps["commands"][number]): string[] => [
    `run: ${words.map(shellWord).join(" ")}`,
    ...(input === undefined ? [] : indented(input)),
  ];
  return [
    ...first.flatMap(run),
    ...files.flatMap(({ path: file, text }) => [`write: ${file}`, ...indented(text)]),
    ...removed.map((file) => `remove: ${file}`),
    ...commands.flatMap(run),
    ...notes.map((note) => `note: ${note}`),
  ];
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? "" : `  ${line}`));
}
