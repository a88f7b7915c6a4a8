import * as path from "node:path";
import {
  specifiersKept,
  systemdRemoval as unitsRemoved,
  systemdSteps as unitsWritten,
  unitWord,
  type TimerPlace,
  type TimerSteps,
  type UnitSections,
  type UnitSetting,
} from "../../base/timer/index.ts";
import type { BackupPlan } from "../plan/index.ts";
import { madeBy, type TimerRequest } from "./timer-request.ts";
import { unitName } from "./unit-name.ts";

const clockTime = /^([01]?\d|2[0-3]):([0-5]\d)$/;

/** Units that run a plan by systemd; a run that was missed is made up. */
export function systemdSteps(request: TimerRequest): TimerSteps {
  return unitsWritten(placeOf(request), { service: serviceOf(request), timer: timerOf(request) });
}

export function systemdRemoval(request: TimerRequest): TimerSteps {
  return unitsRemoved(placeOf(request));
}

/** Where what runs a plan is, and what it is called. */
export function placeOf({ plan, scope, env, output }: TimerRequest): TimerPlace {
  return { name: unitName(plan), madeBy, scope, env, ...(output === undefined ? {} : { output }) };
}

function timerOf({ plan, at }: TimerRequest): UnitSections {
  const [, hour, minute] = clockTime.exec(at) ?? [];
  const calendar = hour === undefined ? at : `*-*-* ${hour.padStart(2, "0")}:${minute}:00`;
  return {
    Unit: [["Description", `When the backups of ${specifiersKept(plan.path)} are made`]],
    Timer: [
      ["OnCalendar", specifiersKept(calendar)],
      ["Persistent", "true"],
    ],
    Install: [["WantedBy", "timers.target"]],
  };
}

function serviceOf(request: TimerRequest): UnitSections {
  const { plan, program, scope } = request;
  const command = [...program, "backup", "run", plan.path].map(unitWord).join(" ");
  const needsNetwork = scope === "system" ? ([["Wants", "network-online.target"]] as const) : [];
  const after = scope === "system" ? ([["After", "network-online.target local-fs.target"]] as const) : [];
  return {
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
  };
}

/**
 * What a run needs no more than (systemd.exec(5)): it reads devices and writes to its targets. Commands of the plan may need
 * anything; with these only what they can hardly miss is taken away. Node makes machine code at run time, so memory stays executable.
 */
function confinement(plan: BackupPlan): readonly UnitSetting[] {
  const own: readonly UnitSetting[] = [
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
        .map((folder) => unitWord(`-${folder}`))
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
