import type { SystemTree } from "../system-tree.ts";

const units = "/etc/systemd/system";
const finishUnit = "finish-installation.service";
const keysUnit = "ssh-host-keys.service";
/** Makes what is missing of SSH's host keys. */
export const makeHostKeys = "ssh-keygen -A";

/**
 * Leaves work to the running system: SSH's host keys are made before its server starts, each machine its own; what
 * takes long and nothing waits for is done once, after the first start, when the machine has nothing better to do.
 */
export function leaveForLater(tree: SystemTree, commands: readonly string[]): void {
  if (commands.includes(makeHostKeys)) {
    enable(tree, keysUnit, "ssh.service", [
      "[Unit]",
      "Description=SSH host keys",
      "ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key",
      "Before=ssh.service",
      "",
      "[Service]",
      "Type=oneshot",
      // The third kind takes long, and a server can do without it for a while.
      ...["ed25519", "ecdsa"].map(
        (kind) => `ExecStart=/usr/bin/ssh-keygen -q -t ${kind} -N "" -f /etc/ssh/ssh_host_${kind}_key`,
      ),
    ]);
  }
  const others = commands.map((command) =>
    command === makeHostKeys ? `${makeHostKeys}; systemctl try-restart ssh` : command,
  );
  if (others.length === 0) return;
  enable(tree, finishUnit, "multi-user.target", [
    "[Unit]",
    "Description=Caches that were left out when this system was made",
    "After=multi-user.target getty.target",
    "",
    "[Service]",
    "Type=oneshot",
    "Nice=19",
    "IOSchedulingClass=idle",
    ...others.map((command) => `ExecStart=-/bin/sh -c '${command}'`),
    `ExecStart=/bin/rm -f ${units}/multi-user.target.wants/${finishUnit} ${units}/${finishUnit}`,
  ]);
}

function enable(tree: SystemTree, unit: string, wantedBy: string, lines: readonly string[]): void {
  tree.makeDirectories(`${units}/${wantedBy}.wants`);
  tree.write(`${units}/${unit}`, `${lines.join("\n")}\n`);
  tree.symlink(`../${unit}`, `${units}/${wantedBy}.wants/${unit}`);
}
