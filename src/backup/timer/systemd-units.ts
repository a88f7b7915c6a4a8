import * as os from "node:os";
import * as path from "node:path";
import type { BackupPlan } from "../plan/index.ts";
import { noSteps, type TimerCommand, type TimerRequest, type TimerSteps } from "./timer-request.ts";
import { unitName } from "./unit-name.ts";

const clockTime = /^([01]?\d|2[0-3]):([0-5]\d)$/;

/** Units that run a plan by systemd (systemd.service(5), systemd.timer(5)); a run that was missed is made up. */
export function systemdSteps(request: TimerRequest): TimerSteps {
  const name = unitName(request.plan);
  const folder = request.output ?? unitFolder(request);
  const files = [
    { path: path.join(folder, `${name}.service`), text: serviceText(request) },
    { path: path.join(folder, `${name}.timer`), text: timerText(request) },
  ];
  if (request.output !== undefined) return { ...noSteps, files };
  const linger = `it runs while you are logged in; always: loginctl enable-linger ${os.userInfo().username}`;
  return {
    ...noSteps,
    files,
    commands: [systemctl(request, "daemon-reload"), systemctl(request, "enable", "--now", `${name}.timer`)],
    notes: request.scope === "user" ? [linger] : [],
  };
}

export function systemdRemoval(request: TimerRequest): TimerSteps {
  const name = unitName(request.plan);
  const folder = request.output ?? unitFolder(request);
  const removed = [path.join(folder, `${name}.timer`), path.join(folder, `${name}.service`)];
  if (request.output !== undefined) return { ...noSteps, removed };
  return {
    ...noSteps,
    first: [{ ...systemctl(request, "disable", "--now", `${name}.timer`), mayFail: true }],
    removed,
    commands: [systemctl(request, "daemon-reload")],
  };
}

function systemctl({ scope }: TimerRequest, ...words: readonly string[]): TimerCommand {
  return { words: ["systemctl", ...(scope === "user" ? ["--user"] : []), ...words] };
}

function unitFolder({ scope, env }: TimerRequest): string {
  if (scope === "system") return "/etc/systemd/system";
  const config = env["XDG_CONFIG_HOME"] ?? path.join(env["HOME"] ?? os.homedir(), ".config");
  return path.join(config, "systemd/user");
}

function timerText({ plan, at }: TimerRequest): string {
  const [, hour, minute] = clockTime.exec(at) ?? [];
  const calendar = hour === undefined ? at : `*-*-* ${hour.padStart(2, "0")}:${minute}:00`;
  return unitText({
    Unit: [["Description", `When the backups of ${specifiersKept(plan.path)} are made`]],
    Timer: [
      ["OnCalendar", specifiersKept(calendar)],
      ["Persistent", "true"],
    ],
    Install: [["WantedBy", "timers.target"]],
  });
}

function serviceText(request: TimerRequest): string {
  const { plan, program, scope } = request;
  const command = [...program, "backup", "run", plan.path].map(quoted).join(" ");
  const needsNetwork = scope === "system" ? ([["Wants", "network-online.target"]] as const) : [];
  const after = scope === "system" ? ([["After", "network-online.target local-fs.target"]] as const) : [];
  return unitText({
    Unit: [["Description", `Backups as ${specifiersKept(plan.path)} says`], ...needsNetwork, ...after],
    Service: [
      ["Type", "oneshot"],
      ["ExecStart", command],
      ["Nice", "19"],
      ["IOSchedulingClass", "idle"],
      // Neither a memory for what is read once, nor the end of the program in whose service it is.
      ["OOMScoreAdjust", "500"],
      ...(scope === "system" ? confinement(plan) : []),
    ],
  });
}

type Setting = readonly [key: string, value: string];

/**
 * What a run needs no more than (systemd.exec(5)): it reads devices and writes to its targets. Commands of the plan may need
 * anything; with these only what they can hardly miss is taken away. Node makes machine code at run time, so memory stays executable.
 */
function confinement(plan: BackupPlan): readonly Setting[] {
  const own: readonly Setting[] = [
    ["StateDirectory", "holdfast"],
    ["CacheDirectory", "holdfast"],
    ["Environment", "HOME=/root XDG_CACHE_HOME=/var/cache"],
    ["LockPersonality", "true"],
    ["RestrictRealtime", "true"],
    ["SystemCallArchitectures", "native"],
  ];
  if (hasCommands(plan)) return own;
  return [
    ...own,
    ["NoNewPrivileges", "true"],
    ["ProtectSystem", "strict"],
    ["ProtectHome", "read-only"],
    [
      "ReadWritePaths",
      writtenFolders(plan)
        .map((folder) => quoted(`-${folder}`))
        .join(" "),
    ],
    ...(usesTemporary(plan) ? [] : ([["PrivateTmp", "true"]] as const)),
    ["ProtectControlGroups", "true"],
    ["ProtectHostname", "true"],
    ["ProtectKernelLogs", "true"],
    ["ProtectKernelModules", "true"],
    ["ProtectKernelTunables", "true"],
    ["RestrictNamespaces", "true"],
    ["RestrictSUIDSGID", "true"],
    ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"],
  ];
}

function hasCommands({ jobs, mails }: BackupPlan): boolean {
  // The system's sendmail may be a program that is somebody else for a while.
  if (mails.some(({ server }) => server === undefined)) return true;
  // LVM's write to folders of their own and may load modules.
  return jobs.some(({ before, after, onlyIf, snapshot }) => {
    return before.length + after.length > 0 || onlyIf !== undefined || snapshot !== undefined;
  });
}

/** Whether what is saved, or where, would be out of sight with temporary folders of its own. */
function usesTemporary({ path: file, jobs }: BackupPlan): boolean {
  const sources = jobs.flatMap(({ source }) => (source.kind === "path" ? [source.path] : []));
  return [file, ...sources, ...jobs.map(({ target }) => target)].some((one) => /^\/(?:var\/)?tmp\//.test(one));
}

function writtenFolders({ jobs, log }: BackupPlan): readonly string[] {
  const targets = jobs.map(({ target }) => target).filter((target) => path.isAbsolute(target));
  const logs = log === undefined || log === "syslog" ? [] : [path.dirname(log)];
  return [...new Set([...targets, ...logs])].toSorted();
}

function unitText(sections: Readonly<Record<string, readonly Setting[]>>): string {
  const texts = Object.entries(sections).map(([name, settings]) => {
    const lines = settings.filter(([, value]) => value !== "").map(([key, value]) => `${key}=${value}`);
    return [`[${name}]`, ...lines, ""].join("\n");
  });
  return ["# Made by holdfast backup install-timer; --remove removes it.", ...texts].join("\n");
}

/** One word of a command: neither specifiers nor variables are put in, and spaces do not part it (systemd.service(5)). */
function quoted(word: string): string {
  const plain = specifiersKept(word).replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  return `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function specifiersKept(text: string): string {
  return text.replaceAll("%", "%%");
}
