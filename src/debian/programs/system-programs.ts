import type { Program, ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import type { SystemTree } from "../system-tree.ts";
import { updatePam } from "./pam.ts";
import type { ConfigurationState } from "./state.ts";
import { systemctl, systemdHelper } from "./units.ts";

/** Programs that prepare a system to run, and those that ask how it runs. */
export function systemPrograms({ deferred }: ConfigurationState): Map<string, Program> {
  const later = (command: string): Program => {
    return () => {
      deferred.add(command);
      return 0;
    };
  };
  const nothing: Program = () => 0;
  return new Map<string, Program>([
    ["deb-systemd-helper", systemdHelper],
    ["deb-systemd-invoke", nothing],
    ["systemctl", systemctl],
    ["invoke-rc.d", nothing],
    ["update-rc.d", updateRunLevels],
    ["pam-auth-update", updatePam],
    ["linux-update-symlinks", linkKernel],
    ["linux-run-hooks", runKernelHooks],
    ["run-parts", runParts],
    ["sshd", printHostKeys],
    ["which", ({ shell, args, out }) => which(shell.findProgram(args.at(-1) ?? ""), out)],
    ["uname", ({ args, out }) => uname(args, out)],
    ["date", ({ tree, args, out }) => date(tree, args, out)],
    ["perl", perl],
    ["pidof", () => 1],
    ["ischroot", nothing],
    ["sleep", nothing],
    // The kernel's lists and its initrd are made already.
    ["depmod", nothing],
    ["update-initramfs", nothing],
    // systemd does these at every start.
    ["systemd-tmpfiles", nothing],
    ["systemd-machine-id-setup", nothing],
    ["dbus-uuidgen", nothing],
    // These take long, and a system works without.
    ["ldconfig", later("ldconfig")],
    ["systemd-hwdb", later("systemd-hwdb --usr update")],
    ["journalctl", later("journalctl --update-catalog")],
    // Keys are made where they are used, not in an image that may be copied.
    ["ssh-keygen", later("ssh-keygen -A")],
  ]);
}

/** Scripts try whether it works before they use it. */
function perl({ args }: ProgramCall): number {
  if (args.length === 2 && args[0] === "-e" && args[1] === "") return 0;
  throw new Unsupported("perl");
}

function which(path: string | undefined, out: ProgramCall["out"]): number {
  if (path === undefined) return 1;
  out(`${path}\n`);
  return 0;
}

function uname(args: readonly string[], out: ProgramCall["out"]): number {
  const [option = "-s"] = args;
  const value = { "-s": "Linux", "-m": "x86_64", "-r": "6.1.0" }[option];
  if (value === undefined) throw new Unsupported(`uname ${option}`);
  out(`${value}\n`);
  return 0;
}

function date(tree: SystemTree, args: readonly string[], out: ProgramCall["out"]): number {
  out(args[0] === "+%s" ? `${tree.now.seconds}\n` : `${new Date(tree.now.seconds * 1000).toUTCString()}\n`);
  return 0;
}

/** Links by which System V's init would start it, in the run levels that its header names. */
function updateRunLevels({ tree, args }: ProgramCall): number {
  const [name = "", action = ""] = args.filter((word) => !word.startsWith("-"));
  const script = `/etc/init.d/${name}`;
  if (action === "remove" || tree.find(script) === undefined) return 0;
  if (action !== "defaults") throw new Unsupported(`update-rc.d ${action}`);
  const text = tree.read(script).toString("latin1");
  for (const [key, letter] of [
    ["Start", "S"],
    ["Stop", "K"],
  ] as const) {
    const levels = new RegExp(`^# Default-${key}:(.*)$`, "m").exec(text)?.[1] ?? "";
    for (const level of levels.split(/\s+/).filter((one) => one !== "")) {
      const at = `/etc/rc${level}.d/${letter}01${name}`;
      tree.makeDirectories(`/etc/rc${level}.d`);
      if (tree.find(at, false) === undefined) tree.symlink(`../init.d/${name}`, at);
    }
  }
  return 0;
}

/** `/vmlinuz` and `/initrd.img` lead to the newest kernel, those in `.old` to the one before. */
function linkKernel({ tree, args }: ProgramCall): number {
  const [, version = "", image = ""] = args;
  const links = [
    ["vmlinuz", image.replace(/^\//, "")],
    ["initrd.img", `boot/initrd.img-${version}`],
  ] as const;
  for (const [name, target] of links) {
    for (const at of [`/${name}`, `/${name}.old`]) if (tree.find(at, false) === undefined) tree.symlink(target, at);
  }
  return 0;
}

/** What `linux-run-hooks image SCRIPT VERSION IMAGE -- …` runs: the hooks of that script in both folders, by name. */
function runKernelHooks({ shell, tree, args }: ProgramCall): number {
  const end = args.indexOf("--");
  const [kind, script = "", ...passed] = end === -1 ? args : args.slice(0, end);
  if (kind !== "image") throw new Unsupported(`linux-run-hooks ${args.join(" ")}`);
  const folders = ["/etc/kernel", "/usr/share/kernel"].map((folder) => `${folder}/${script}.d`);
  const hooks = folders.flatMap((folder) => {
    if (tree.find(folder)?.kind !== "directory") return [];
    return tree.names(folder).map((name) => ({ name, path: `${folder}/${name}` }));
  });
  shell.assign("DEB_MAINT_PARAMS", args.slice(end + 1).join(" "), true);
  for (const { name, path } of hooks.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!/^[\w-]+$/.test(name) || !shell.isExecutable(path)) continue;
    const status = shell.call(path, passed);
    if (status !== 0) return status;
  }
  return 0;
}

/** The settings of a server that nobody has configured, as far as scripts ask for them: its host keys. */
function printHostKeys({ shell, tree, args, out }: ProgramCall): number {
  const settings = "/etc/ssh/sshd_config";
  const isSet = tree.find(settings) !== undefined && /^\s*HostKey/im.test(shell.readFile(settings));
  if (!["-G", "-T"].includes(args[0] ?? "") || isSet) throw new Unsupported(`sshd ${args.join(" ")}`);
  out(["rsa", "ecdsa", "ed25519"].map((kind) => `hostkey /etc/ssh/ssh_host_${kind}_key\n`).join(""));
  return 0;
}

function runParts({ shell, tree, args }: ProgramCall): number {
  const passed = args.filter((word) => word.startsWith("--arg=")).map((word) => word.slice("--arg=".length));
  const folder = args.at(-1) ?? "";
  for (const name of tree.names(folder)) {
    if (!/^[\w-]+$/.test(name) || !shell.isExecutable(`${folder}/${name}`)) continue;
    const status = shell.call(`${folder}/${name}`, passed);
    if (status !== 0) return status;
  }
  return 0;
}
