import * as os from "node:os";
import * as path from "node:path";
import { noSteps, type TimerCommand, type TimerPlace, type TimerSteps } from "./timer-steps.ts";

/** A line of a unit; one without a value is left out. */
export type UnitSetting = readonly [key: string, value: string];
export type UnitSections = Readonly<Record<string, readonly UnitSetting[]>>;

/** Units that run something by systemd (systemd.service(5), systemd.timer(5)). */
export function systemdSteps(
  place: TimerPlace,
  units: { readonly service: UnitSections; readonly timer: UnitSections },
): TimerSteps {
  const { name } = place;
  const folder = place.output ?? unitFolder(place);
  const files = [
    { path: path.join(folder, `${name}.service`), text: unitText(place, units.service) },
    { path: path.join(folder, `${name}.timer`), text: unitText(place, units.timer) },
  ];
  if (place.output !== undefined) return { ...noSteps, files };
  const linger = `it runs while you are logged in; always: loginctl enable-linger ${os.userInfo().username}`;
  return {
    ...noSteps,
    files,
    commands: [systemctl(place, "daemon-reload"), systemctl(place, "enable", "--now", `${name}.timer`)],
    notes: place.scope === "user" ? [linger] : [],
  };
}

export function systemdRemoval(place: TimerPlace): TimerSteps {
  const { name } = place;
  const folder = place.output ?? unitFolder(place);
  const removed = [path.join(folder, `${name}.timer`), path.join(folder, `${name}.service`)];
  if (place.output !== undefined) return { ...noSteps, removed };
  return {
    ...noSteps,
    first: [{ ...systemctl(place, "disable", "--now", `${name}.timer`), mayFail: true }],
    removed,
    commands: [systemctl(place, "daemon-reload")],
  };
}

function systemctl({ scope }: TimerPlace, ...words: readonly string[]): TimerCommand {
  return { words: ["systemctl", ...(scope === "user" ? ["--user"] : []), ...words] };
}

function unitFolder({ scope, env }: TimerPlace): string {
  if (scope === "system") return "/etc/systemd/system";
  const config = env["XDG_CONFIG_HOME"] ?? path.join(env["HOME"] ?? os.homedir(), ".config");
  return path.join(config, "systemd/user");
}

function unitText({ madeBy }: TimerPlace, sections: UnitSections): string {
  const texts = Object.entries(sections).map(([name, settings]) => {
    const lines = settings.filter(([, value]) => value !== "").map(([key, value]) => `${key}=${value}`);
    return [`[${name}]`, ...lines, ""].join("\n");
  });
  return [`# Made by ${madeBy}; --remove removes it.`, ...texts].join("\n");
}

/** One word of a command: neither specifiers nor variables are put in, and spaces do not part it (systemd.service(5)). */
export function unitWord(word: string): string {
  const plain = specifiersKept(word).replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  return `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

export function specifiersKept(text: string): string {
  return text.replaceAll("%", "%%");
}
