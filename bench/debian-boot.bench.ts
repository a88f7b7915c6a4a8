import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";

const release = "bookworm";
const sizeBytes = 2_000_000_000;
/** The packages that `disk create --debian` takes beyond the required ones, so that both make the same system. */
const packages =
  "apt,usr-is-merged,systemd-sysv,udev,dbus,libpam-systemd,systemd-resolved,systemd-timesyncd,iproute2,iputils-ping,netbase,less,nano,klibc-utils,linux-image-cloud-amd64";

/** Emulation on both sides, and nothing of a boot kept. */
const run = '--bios --snapshot --no-acceleration --no-network --until "login:" --time-limit 900 > /dev/null';

/**
 * From nothing to a login prompt, packages cached, against debootstrap, a loop device, GRUB by its own tools, and the same
 * boot. As root, for the peer's sake.
 */
export const benches: readonly Bench[] = [
  {
    name: "from nothing to Debian's login prompt",
    peer: "debootstrap + losetup + grub-mkimage",
    ratioLimit: 0.6,
    runs: 1,
    memoryLimitBytes: 1024 ** 3,
    prepare(folder) {
      const ours = path.join(folder, "ours.disk");
      const theirs = path.join(folder, "theirs.disk");
      const tree = path.join(folder, "debootstrap");
      const cache = path.join(folder, "debootstrap-cache");
      fs.mkdirSync(cache, { recursive: true });
      const script = path.join(folder, "debootstrap.sh");
      fs.writeFileSync(script, peerScript({ disk: theirs, tree, cache }), { mode: 0o755 });
      const create = `./holdfast disk create "${ours}" --size ${sizeBytes} --debian ${release} --boot bios > /dev/null`;
      return {
        ours: ["sh", "-ec", `${create}; ./holdfast disk run "${ours}" ${run}`],
        theirs: ["bash", script],
        outputs: [ours, theirs],
        beforeTheirs: () => execFileSync("rm", ["-rf", "--one-file-system", tree]),
        cleanUp: () => execFileSync("rm", ["-rf", "--one-file-system", tree]),
      };
    },
  },
];

function peerScript({ disk, tree, cache }: Readonly<Record<"disk" | "tree" | "cache", string>>): string {
  return `set -e
debootstrap --variant=minbase --cache-dir="${cache}" --include=${packages} ${release} "${tree}" > /dev/null
truncate -s ${sizeBytes} "${disk}"
echo "start=2048, type=83, bootable" | sfdisk -q "${disk}"
loop=$(losetup -f --show -o 1048576 --sizelimit $((${sizeBytes} / 1048576 * 1048576 - 1048576)) "${disk}")
mnt=$(mktemp -d)
trap 'umount -q "$mnt" || true; losetup -d $loop; rmdir "$mnt"' EXIT
mkfs.ext4 -q $loop
mount $loop "$mnt"
cp -a "${tree}"/. "$mnt"
echo "/dev/vda1 / ext4 errors=remount-ro 0 1" > "$mnt/etc/fstab"
mkdir -p "$mnt/boot/grub/i386-pc"
cp /usr/lib/grub/i386-pc/*.mod /usr/lib/grub/i386-pc/*.lst "$mnt/boot/grub/i386-pc"
kernel=$(basename "$mnt"/boot/vmlinuz-*)
cat > "$mnt/boot/grub/grub.cfg" << EOF
serial
terminal_output console serial
set timeout=3
menuentry Linux {
  linux /boot/$kernel root=/dev/vda1 ro console=tty0 console=ttyS0,115200
  initrd /boot/initrd.img-\${kernel#vmlinuz-}
}
EOF
umount "$mnt"
core=$(mktemp)
grub-mkimage -O i386-pc -o "$core" -p "(hd0,msdos1)/boot/grub" biosdisk part_msdos ext2 normal serial linux
dd if=/usr/lib/grub/i386-pc/boot.img of="${disk}" bs=440 count=1 conv=notrunc status=none
dd if="$core" of="${disk}" bs=512 seek=1 conv=notrunc status=none
rm "$core"
./holdfast disk run "${disk}" ${run}
`;
}
