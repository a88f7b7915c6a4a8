import * as path from "node:path";
import { shellWord } from "../shell-word.ts";
import { noSteps, type TimerPlace, type TimerSteps } from "./timer-steps.ts";

/** When cron runs something: the five fields of crontab(5), and a command of the shell. */
export interface CronEntry {
  readonly fields: string;
  readonly command: string;
}

/** Entries that run something by cron (crontab(5)): `crontab` is the user's table as it is. */
export function cronSteps(place: TimerPlace, entries: readonly CronEntry[], crontab: string): TimerSteps {
  const { name, scope, output } = place;
  const user = scope === "system" ? "root " : "";
  const lines = [
    `# ${name}: made by ${place.madeBy}; --remove removes it.`,
    ...entries.map(({ fields, command }) => `${fields} ${user}${command}`),
    `# ${name}: end`,
  ];
  if (output !== undefined || scope === "system") {
    const head = ["SHELL=/bin/sh", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
    const text = `${[...(scope === "system" ? head : []), ...lines].join("\n")}\n`;
    return { ...noSteps, files: [{ path: path.join(output ?? "/etc/cron.d", name), text }] };
  }
  const input = `${[...without(crontab, name), ...lines].join("\n")}\n`;
  return { ...noSteps, commands: [{ words: ["crontab", "-"], input }] };
}

export function cronRemoval({ name, scope, output }: TimerPlace, crontab: string): TimerSteps {
  if (output !== undefined || scope === "system") {
    return { ...noSteps, removed: [path.join(output ?? "/etc/cron.d", name)] };
  }
  const input = without(crontab, name)
    .map((line) => `${line}\n`)
    .join("");
  return { ...noSteps, commands: [{ words: ["crontab", "-"], input }] };
}

/** A user's table without the entries of a name. */
function without(crontab: string, name: string): string[] {
  const lines = crontab.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const start = lines.findIndex((line) => line.startsWith(`# ${name}: made by `));
  const end = lines.indexOf(`# ${name}: end`, start);
  return start < 0 || end < 0 ? lines : lines.toSpliced(start, end - start + 1);
}

/** A word of the shell in a crontab, where a percent sign would end the line. */
export function cronWord(word: string): string {
  return shellWord(word).replaceAll("%", "\\%");
}
