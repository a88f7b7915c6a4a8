import type { SystemTree } from "../system-tree.ts";

/**
 * Lets the boot menu follow the kernels that come and go. A system without GRUB's own programs would keep the menu that
 * the disk was made with, until its kernel is gone.
 */
export function addMenuHook(tree: SystemTree): void {
  for (const folder of ["postinst.d", "postrm.d"]) {
    tree.makeDirectories(`/etc/kernel/${folder}`);
    tree.write(`/etc/kernel/${folder}/zz-boot-menu`, script, 0o755);
  }
}

const script = `#!/bin/sh
# Writes the boot menu anew from the kernels in /boot, where no update-grub does.
set -e
menu=/boot/grub/grub.cfg
[ -w "$menu" ] || exit 0
if command -v update-grub > /dev/null; then exit 0; fi
words=$(sed -n 's/^  linux [^ ]* //p' "$menu" | head -n 1)
{
  sed '/^menuentry /,$d' "$menu"
  for kernel in $(ls /boot/vmlinuz-* | sort -rV); do
    version=\${kernel#/boot/vmlinuz-}
    echo "menuentry \\"Linux $version\\" {"
    echo "  linux $kernel $words"
    [ ! -e "/boot/initrd.img-$version" ] || echo "  initrd /boot/initrd.img-$version"
    echo "}"
  done
} > "$menu.new"
mv "$menu.new" "$menu"
`;
