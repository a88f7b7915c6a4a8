import type { SystemTree } from "../system-tree.ts";

/** A place where apt gets packages from. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** What is this system's own, and in no package. */
export interface SystemSettings {
  readonly hostname: string;
  readonly rootUuid: string;
  /** How fstab names the EFI system partition, such as `UUID=1234-ABCD`; absent where there is none. */
  readonly efiPartition?: string;
  readonly sources: readonly AptSource[];
  /** Lines for root's `authorized_keys`. */
  readonly sshKeys: readonly string[];
  /** As in shadow(5). Absent: root has no password and cannot log in by one. */
  readonly rootPasswordHash?: string;
}

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Files that scripts of packages leave alone where they are there already. */
export function writeSettings(tree: SystemTree, settings: SystemSettings): void {
  const { hostname, rootUuid, efiPartition } = settings;
  tree.makeDirectories("/etc");
  tree.write("/etc/hostname", `${hostname}\n`);
  tree.write("/etc/hosts", hostsFile(hostname));
  const lines = [`UUID=${rootUuid} / ext4 errors=remount-ro 0 1`];
  if (efiPartition !== undefined) {
    tree.makeDirectories("/boot/efi", 0o700);
    lines.push(`${efiPartition} /boot/efi vfat umask=0077,noauto,x-systemd.automount 0 2`);
  }
  tree.write("/etc/fstab", `# device mountpoint type options dump pass\n${lines.join("\n")}\n`);
  tree.write("/etc/machine-id", "", 0o444); // systemd gives each copy its own
  tree.makeDirectories("/var/lib/dbus");
  tree.symlink("/etc/machine-id", "/var/lib/dbus/machine-id");
  if (tree.find("/etc/default/locale") === undefined) {
    tree.makeDirectories("/etc/default");
    tree.write("/etc/default/locale", "LANG=C.UTF-8\n");
  }
  writeNetwork(tree);
  writeSources(tree, settings.sources);
  if (settings.sshKeys.length > 0) {
    tree.makeDirectories("/root/.ssh", 0o700);
    tree.write("/root/.ssh/authorized_keys", settings.sshKeys.map((key) => `${key}\n`).join(""), 0o600);
  }
}

/** What packages would have overwritten. */
export function writeRootPassword(tree: SystemTree, hash: string | undefined): void {
  for (const path of ["/etc/shadow", "/etc/passwd"]) {
    if (tree.find(path) === undefined) continue;
    const text = tree.read(path).toString();
    const isShadowed = tree.find("/etc/shadow") !== undefined;
    if (path === "/etc/passwd" && isShadowed) continue;
    tree.write(
      path,
      text.replace(/^root:[^:]*:/m, () => `root:${hash ?? "*"}:`),
    );
  }
}

function hostsFile(hostname: string): string {
  return [
    "127.0.0.1\tlocalhost",
    `127.0.1.1\t${hostname}`,
    "::1\t\tlocalhost ip6-localhost ip6-loopback",
    "ff02::1\t\tip6-allnodes",
    "ff02::2\t\tip6-allrouters",
    "",
  ].join("\n");
}

/** Whatever network card there is asks for an address; names are resolved by what comes with it. */
function writeNetwork(tree: SystemTree): void {
  const units = "/usr/lib/systemd/system";
  if (tree.find(`${units}/systemd-networkd.service`) === undefined) return;
  tree.makeDirectories("/etc/systemd/network");
  tree.write("/etc/systemd/network/80-dhcp.network", "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n");
  const enabled = [
    ["multi-user.target.wants", "systemd-networkd.service"],
    ["sockets.target.wants", "systemd-networkd.socket"],
    ["network-online.target.wants", "systemd-networkd-wait-online.service"],
    ["sysinit.target.wants", "systemd-network-generator.service"],
  ] as const;
  for (const [target, unit] of enabled) {
    if (tree.find(`${units}/${unit}`) === undefined) continue;
    tree.makeDirectories(`/etc/systemd/system/${target}`);
    tree.symlink(`/lib/systemd/system/${unit}`, `/etc/systemd/system/${target}/${unit}`);
  }
  tree.symlink(
    "/lib/systemd/system/systemd-networkd.service",
    "/etc/systemd/system/dbus-org.freedesktop.network1.service",
  );
}

function writeSources(tree: SystemTree, sources: readonly AptSource[]): void {
  if (sources.length === 0) return;
  const stanzas = sources.map(({ uri, suites, components }) => {
    const signed = tree.find(keyring) === undefined ? "" : `Signed-By: ${keyring}\n`;
    return `Types: deb\nURIs: ${uri}\nSuites: ${suites.join(" ")}\nComponents: ${components.join(" ")}\n${signed}`;
  });
  tree.makeDirectories("/etc/apt/sources.list.d");
  tree.write("/etc/apt/sources.list.d/debian.sources", stanzas.join("\n"));
}
