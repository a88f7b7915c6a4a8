import type { SystemTree } from "../system-tree.ts";
import type { UnpackedPackage } from "../unpacked-package.ts";

/** What a system has that is not configured yet; its first boot runs the script in it. */
export const firstBootFolder = "/usr/lib/holdfast";
export const firstBootScript = `${firstBootFolder}/first-boot`;
const folder = firstBootFolder;

/** What a system says that was configured beforehand, once its disk can be switched off. */
export const configuredText = "This system is configured and at rest.";

export interface FirstBoot {
  readonly withPreinst: ReadonlySet<UnpackedPackage>;
  /** It is to come to rest after it: commands to run before that. */
  readonly beforehand?: readonly string[];
}

/**
 * Leaves the packages that are only unpacked to the first boot: the initrd runs this script before the system's init,
 * and again at the next boot where it was cut off. It removes itself when all is done.
 */
export function leaveToFirstBoot(
  tree: SystemTree,
  packages: readonly UnpackedPackage[],
  { withPreinst, beforehand }: FirstBoot,
): void {
  tree.makeDirectories(folder);
  if (beforehand !== undefined) {
    const commands = beforehand.map((command) => `${command}\n`).join("");
    tree.write(`${folder}/beforehand`, `${commands}rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub\n`);
  }
  const preinsts = packages.filter((one) => withPreinst.has(one) && one.controlFiles.has("preinst"));
  tree.write(`${folder}/preinst`, preinsts.map(({ infoName }) => `${infoName}\n`).join(""));
  tree.write(firstBootScript, script, 0o755);
}

/**
 * A sleeping init starts no services, and the initrd of this boot is good for the next ones: it is made anew when the
 * next kernel comes.
 */
const script = `#!/bin/sh
# Configures packages that were only unpacked when this system was made. Removes itself.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 INITRD=No
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
settings=/etc/initramfs-tools/update-initramfs.conf
policy=/usr/sbin/policy-rc.d
notice=/etc/issue.d/packages.issue

echo "Configuring packages, once."
[ -e $policy ] || { printf '#!/bin/sh\\n# first-boot\\nexit 101\\n' > $policy; chmod 755 $policy; }
[ -e $settings ] && sed -i 's/^update_initramfs=yes/update_initramfs=no/' $settings

while read -r name; do
  package=\${name%%:*}
  DPKG_MAINTSCRIPT_NAME=preinst DPKG_MAINTSCRIPT_PACKAGE=$package DPKG_MAINTSCRIPT_ARCH=$(dpkg --print-architecture) \\
    DPKG_ROOT= DPKG_ADMINDIR=/var/lib/dpkg /var/lib/dpkg/info/$name.preinst install < /dev/null
done < ${folder}/preinst
: > ${folder}/preinst

dpkg --configure -a --force-unsafe-io --force-confdef --force-confold < /dev/null
status=$?

[ -e $settings ] && sed -i 's/^update_initramfs=no/update_initramfs=yes/' $settings
grep -q first-boot $policy && rm -f $policy
if [ $status = 0 ]; then
  rm -f $notice
  [ -e ${folder}/beforehand ] && sh ${folder}/beforehand
  rm -rf ${folder}
  echo "All packages are configured."
else
  mkdir -p /etc/issue.d
  echo "Some packages could not be configured: see dpkg --audit, then run dpkg --configure -a" > $notice
  cat $notice
fi
sync
`;
