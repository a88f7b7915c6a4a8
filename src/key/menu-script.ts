/**
 * The menu of a key, for GRUB 2.06 and newer. It asks the partition of the ISO files what is there each time that it is
 * shown: what was added by this program has a file of entries, the rest is looked into when it is chosen. `e` and `c`
 * stay GRUB's own keys.
 */
export const menuScript = String.raw`# The menu of this key. Made by holdfast; what is added to custom.cfg, beside this file, stays.

# Where Secure Boot is on, a distribution's signed GRUB shows this menu, and lets start only what is signed. Where it is
# off, that GRUB gives way to the whole one beside it, which knows more.
set key_locked=
set key_limited=
if [ "$lockdown" = "y" -o "$shim_lock" = "y" ]; then
  set key_locked=1
  set key_limited=1
  set key_unsigned=' [not signed: Secure Boot refuses it]'
  set key_foreign=' [Secure Boot refuses it until its key is enrolled]'
elif [ -z "$whole_grub" -a -f "$prefix/whole-$grub_cpu-$grub_platform.efi" ]; then
  if chainloader "$prefix/whole-$grub_cpu-$grub_platform.efi"; then
    # Once that has ended, so has the menu.
    if boot; then exit; fi
  fi
  set key_limited=1
fi
export key_locked key_limited key_unsigned key_foreign

source "$prefix/key.cfg"

# What a virtual machine of holdfast asks for, in a text that its firmware passes on.
if smbios --type 1 --get-string 4 --set=key_maker; then
  if [ "$key_maker" = "QEMU" ]; then
    if smbios --type 11 --get-string 4 --set=key_told; then
      if regexp '^holdfast-key serial' "$key_told"; then
        set key_serial=1
        # A machine that is emulated where there is much else to do has late clocks, for which Linux would give up.
        set key_late=no_timer_check
      fi
      if regexp '^holdfast-key serial loud' "$key_told"; then set key_loud=ignore_loglevel; fi
      if regexp --set=1:key_choice '^holdfast-key.* start=(.*)$' "$key_told"; then
        set default="$key_choice"
        set timeout=0
      fi
    fi
  fi
fi

set menu_color_normal=light-gray/black
set menu_color_highlight=white/blue

set key_arguments=
if [ "$key_serial" = "1" ]; then
  set key_arguments="console=tty0 console=ttyS0,115200"
  if [ "$grub_cpu" = "arm64" ]; then
    set key_arguments="console=tty0 console=ttyAMA0,115200"
  elif serial --unit=0 --speed=115200; then
    set key_arguments="$key_arguments $key_late"
    terminal_input console serial
    terminal_output console serial
    terminfo --utf8 serial vt100
  fi
fi

if [ -n "$key_loud" ]; then set key_arguments="$key_arguments $key_loud"; fi

regexp --set=1:key_disk '^([^,]+)' "$root"
search --no-floppy --fs-uuid --set=isos --hint="$key_disk,$key_isos_partition" "$key_isos_uuid"
if [ -z "$isos" ]; then
  search --no-floppy --label --set=isos --hint="$key_disk,$key_isos_partition" "$key_isos_label"
fi
if [ -n "$isos" ]; then probe --set=isos_uuid --fs-uuid "($isos)"; fi
export isos isos_uuid key_arguments

# PATH: opens an ISO file as (loop).
function key_open {
  if [ -d (image)/ ]; then loopback -d image; fi
  if [ -d (loop)/ ]; then loopback -d loop; fi
  set iso_path="$1"
  export iso_path
  loopback loop "($isos)$1"
  set root=loop
}

# FILE: says why it cannot be started, below what GRUB has just said of it.
function key_refused {
  echo
  if [ "$key_locked" = "1" ]; then
    echo 'Secure Boot is on. "bad shim signature" above means: this is not signed by'
    echo 'anyone whom this computer trusts, and so it does not start:'
    echo "  $1"
    echo "To start it, switch Secure Boot off in the firmware's settings, to which an"
    echo 'entry of the menu leads. If its makers signed it with a key of their own, that'
    echo 'can be enrolled instead, by another entry.'
  else
    echo "This was not loaded, for the reason above: $1"
  fi
  echo 'Escape leads back to the menu.'
  sleep --verbose --interruptible 30
}

# FILE NOTE: opens an ISO's own menu, which says in GRUB's words alone what Secure Boot refuses. NOTE is empty where it
# will refuse nothing.
function key_menu {
  if [ "$key_locked" = "1" -a -n "$2" ]; then
    echo 'Secure Boot is on, and some or all of the menu that follows may not start for'
    echo 'that: where it says "bad shim signature", something is not signed by anyone whom'
    echo 'this computer trusts. Escape shows the menu.'
    sleep --verbose --interruptible 15
  fi
  configfile "$1"
}

# FOLDER: whether it is there, a device or a folder on one, without a complaint where the one above it is not.
function key_folder {
  if regexp --set=1:key_above '^(.+)/[^/]+$' "$1"; then
    if key_folder "$key_above"; then [ -d "$1/" ]; else false; fi
  else
    [ -d "$1/" ]
  fi
}

# FOLDER FILE…: the first of these files that is there becomes key_file; all are in that folder.
function key_find {
  set key_file=
  if key_folder "$1"; then
    for key_one in "$@"; do
      if [ -z "$key_file" -a -f "$key_one" ]; then set key_file="$key_one"; fi
    done
  fi
  [ -n "$key_file" ]
}

# What dracut knows the ISO by becomes key_medium: its label, or where that has characters that reach no system its UUID.
function key_find_medium {
  probe --set=key_label --label (loop)
  if regexp '^[A-Za-z0-9._+-]+$' "$key_label"; then
    set key_medium="LABEL=$key_label"
  else
    probe --set=key_medium --fs-uuid (loop)
    set key_medium="UUID=$key_medium"
  fi
}

# Says so where a system may not find its ISO.
function key_check_name {
  if regexp ' ' "$iso_path"; then
    echo "There is a space in $iso_path: its system will not find it."
    echo 'Rename the file on the stick.'
    sleep --verbose --interruptible 10
  fi
}

# FOLDER: the initrd in it that goes with the kernel key_file is loaded with that, and with key_words.
function key_linux {
  set key_kernel="$key_file"
  set key_rest=
  regexp --set=1:key_rest 'vmlinuz(.*)$' "$key_kernel"
  if key_find "$1" "$1/initrd.img$key_rest" "$1/initrd$key_rest" "$1/initramfs$key_rest.img" "$1"/initrd* "$1"/initramfs*; then
    key_check_name
    if linux "$key_kernel" $key_words $key_arguments; then
      initrd "$key_file"
    else
      key_refused "$key_kernel"
    fi
  else
    echo "There is no initrd for $key_kernel."
    sleep --verbose --interruptible 10
  fi
}

# The kernel of a live system of dracut becomes key_file, and its folder key_place.
function key_find_dracut {
  set key_file=
  if [ -d /LiveOS ]; then
    for key_place in /images/pxeboot /boot/x86_64/loader /boot/aarch64/loader /boot; do
      if [ -z "$key_file" ]; then
        if key_find "$key_place" "$key_place/vmlinuz" "$key_place/linux"; then set key_folder="$key_place"; fi
      fi
    done
  fi
  [ -n "$key_file" ]
}

# DEVICE: the program on it for this firmware becomes key_file.
function key_find_program_on {
  for key_place in /EFI/BOOT /EFI/boot /efi/boot; do
    if [ -z "$key_file" ]; then key_find "$1$key_place" "$1$key_place/$key_program" "$1$key_place/$key_small"; fi
  done
}

# The program for this firmware becomes key_file: on the disc, or in its image for firmware.
function key_find_program {
  set key_file=
  if [ "$grub_platform" = "efi" ]; then
    if [ "$grub_cpu" = "x86_64" ]; then set key_program=BOOTX64.EFI; set key_small=bootx64.efi; fi
    if [ "$grub_cpu" = "i386" ]; then set key_program=BOOTIA32.EFI; set key_small=bootia32.efi; fi
    if [ "$grub_cpu" = "arm64" ]; then set key_program=BOOTAA64.EFI; set key_small=bootaa64.efi; fi
    key_find_program_on (loop)
    if [ -z "$key_file" ]; then
      set key_image=
      for key_place in (loop) (loop)/boot/grub (loop)/EFI/BOOT (loop)/images; do
        if [ -z "$key_image" ]; then
          if key_find "$key_place" "$key_place/efi.img" "$key_place/efiboot.img"; then set key_image="$key_file"; fi
        fi
      done
      set key_file=
      if [ -n "$key_image" ]; then
        loopback image "$key_image"
        key_find_program_on (image)
      fi
    fi
  fi
  [ -n "$key_file" ]
}

# The menu of an ISO whose GRUB would look in vain for the disc that it is on becomes key_file. By BIOS it has a disc.
function key_find_own_menu {
  set key_file=
  if [ "$grub_platform" = "efi" ]; then key_find /boot/grub /boot/grub/grub.cfg; fi
  [ -n "$key_file" ]
}

# Where shim's program is that enrols keys becomes key_manager.
function key_find_manager {
  regexp --set=1:key_device '^([(][^)]*[)])' "$prefix"
  if [ "$grub_cpu" = "x86_64" ]; then set key_name=mmx64.efi; fi
  if [ "$grub_cpu" = "i386" ]; then set key_name=mmia32.efi; fi
  if [ "$grub_cpu" = "arm64" ]; then set key_name=mmaa64.efi; fi
  set key_manager="$key_device/EFI/BOOT/$key_name"
  export key_manager
}

# PATH: starts an ISO file of which nothing is known, by the conventions that the common systems follow.
function key_start {
  key_open "$1"
  if key_find /boot/grub /boot/grub/loopback.cfg; then
    key_check_name
    key_menu "$key_file" maybe
  elif key_find /boot/grub2 /boot/grub2/loopback.cfg; then
    key_check_name
    key_menu "$key_file" maybe
  elif key_find /live /live/vmlinuz /live/vmlinuz-*amd64 /live/vmlinuz*; then
    set key_words="boot=live components findiso=$1"
    key_linux /live
  elif key_find /casper /casper/vmlinuz /casper/vmlinuz.efi /casper/vmlinuz*; then
    set key_words="boot=casper noprompt fsck.mode=skip iso-scan/filename=$1"
    key_linux /casper
  elif key_find_dracut; then
    key_find_medium
    set key_words="root=live:$key_medium rd.live.image iso-scan/filename=$1"
    key_linux "$key_folder"
  elif key_find /images/pxeboot /images/pxeboot/vmlinuz; then
    key_find_medium
    set key_words="inst.stage2=hd:$key_medium iso-scan/filename=$1"
    key_linux /images/pxeboot
  elif key_find /arch/boot/x86_64 /arch/boot/x86_64/vmlinuz-linux /arch/boot/x86_64/vmlinuz*; then
    probe --set=key_label --label (loop)
    set key_words="archisobasedir=arch archisolabel=$key_label img_dev=/dev/disk/by-uuid/$isos_uuid img_loop=$1 earlymodules=loop"
    key_linux /arch/boot/x86_64
  elif [ -f /linux -a -f /initrd.gz ]; then
    set key_file=/linux
    set key_words=
    key_linux ''
  elif key_find_own_menu; then
    key_menu "$key_file" maybe
  elif key_find_program; then
    set root="$isos"
    if chainloader "$key_file"; then true; else key_refused "$key_file"; fi
  elif [ "$grub_platform" = "pc" -a -f "$prefix/memdisk" ]; then
    echo 'No system is known in it: all of it is loaded into memory, as a disc.'
    linux16 "$prefix/memdisk" iso raw
    initrd16 "($isos)$1"
  else
    echo "It is not known how $1 starts from a file."
    echo 'It may be one that starts only from a stick or disc of its own. "holdfast key add" looks closer, and says why.'
    sleep --verbose --interruptible 15
  fi
}

# NAME: whether it is in the menu of this kind of machine, where nothing but its ending tells what it is.
function key_fits {
  if regexp '[.][Ee][Ff][Ii]$' "$1"; then
    [ "$grub_platform" = "efi" ]
  elif regexp '[.][Ii][Mm][Gg]$' "$1"; then
    [ "$grub_platform" = "pc" -a -f "$prefix/memdisk" ]
  else
    true
  fi
}

# PATH: starts a file that was merely copied: a program for this firmware, the image of a floppy or disk, or an ISO.
function key_start_file {
  if regexp '[.][Ee][Ff][Ii]$' "$1"; then
    set root="$isos"
    if chainloader "($isos)$1"; then true; else key_refused "$1"; fi
  elif regexp '[.][Ii][Mm][Gg]$' "$1"; then
    linux16 "$prefix/memdisk" raw
    initrd16 "($isos)$1"
  else
    key_start "$1"
  fi
}

# PATH: the entries of a file that was added, if it is still there.
function key_iso {
  if [ -f "($isos)$1" ]; then
    set key_found=1
    source "$prefix/isos$1.cfg"
  fi
}

# PATH TITLE: in the menu of those that can be checked, an ISO file whose sum is known, if it is still there.
function key_sum {
  if [ -f "($isos)$1" ]; then
    set key_found=1
    submenu "$2" --id "check:$1" "$1" { key_check "$2"; }
  fi
}

# PATH: reads all of an ISO file, and shows whether it is as it was, and its entries behind that.
function key_check {
  echo "Reading all of $1, to see whether it is as it was when it was added."
  echo 'That takes about as long as copying it does.'
  if hashsum --hash sha256 --check "$prefix/isos$1.sha256" --prefix "($isos)"; then
    # With what is chosen from outside, that is the default.
    if [ -z "$default" ]; then set default=1; fi
    menuentry 'It is as it was when it was added. To start it:' --id good { true; }
    source "$prefix/isos$1.cfg"
  else
    menuentry 'It is NOT as it was when it was added: damaged, or changed' --id bad { true; }
    submenu 'Start it all the same' --id anyway "$1" { source "$prefix/isos$2.cfg"; }
  fi
}

# FOLDER MAYBE: what is in it; empty for the top. MAYBE is empty where nothing was added to it.
function key_list {
  set key_found=
  set key_known=
  if [ -n "$2" -a -d "$prefix/isos$1" ]; then
    set key_known=1
    if [ -f "$prefix/isos$1/index.cfg" ]; then source "$prefix/isos$1/index.cfg"; fi
  fi
  for key_one in "($isos)$1"/*.iso "($isos)$1"/*.ISO "($isos)$1"/*.Iso "($isos)$1"/*.efi "($isos)$1"/*.EFI "($isos)$1"/*.img "($isos)$1"/*.IMG; do
    if [ -f "$key_one" ]; then
      regexp --set=1:key_name '/([^/]*)$' "$key_one"
      set key_listed=
      if [ -n "$key_known" ]; then
        if [ -f "$prefix/isos$1/$key_name.cfg" ]; then set key_listed=1; fi
      fi
      if key_fits "$key_name"; then true; else set key_listed=1; fi
      if [ -z "$key_listed" ]; then
        set key_found=1
        menuentry "$key_name" --id "$1/$key_name" "$1/$key_name" { key_start_file "$2"; }
      fi
    fi
  done
  for key_one in "($isos)$1"/*; do
    if [ -d "$key_one" ]; then
      regexp --set=1:key_name '/([^/]*)$' "$key_one"
      if regexp '^([.].*|[$].*|lost[+]found|System Volume Information|.*[.]changes)$' "$key_name"; then
        true
      else
        set key_found=1
        submenu "$key_name/" --id "$1/$key_name/" "$1/$key_name" "$key_known" { key_list "$2" "$3"; }
      fi
    fi
  done
  if [ -z "$key_found" ]; then
    menuentry 'There is no ISO file here: copy some onto the partition of the ISO files' --id none { true; }
  fi
}

if [ -n "$isos" ]; then
  key_list '' 1
else
  menuentry 'The partition of the ISO files is not there, or has another name' --id none { true; }
fi
if [ -f "$prefix/custom.cfg" ]; then source "$prefix/custom.cfg"; fi
# A signed GRUB has nothing to make sums with.
if [ -n "$isos" -a -z "$key_limited" -a -f "$prefix/checks.cfg" ]; then
  submenu 'Check an ISO file before it starts' --id check {
    set key_found=
    source "$prefix/checks.cfg"
    if [ -z "$key_found" ]; then
      menuentry 'None whose sum is known is there' --id none { true; }
    fi
  }
fi
menuentry "Start this computer's own system" --id own { exit; }
if [ "$key_locked" = "1" ]; then
  key_find_manager
  if [ -f "$key_manager" ]; then
    menuentry 'Enrol keys for Secure Boot (MokManager)' --id enrol { chainloader "$key_manager"; }
  fi
fi
if [ "$grub_platform" = "efi" ]; then
  menuentry "Settings of this computer's firmware" --id firmware { fwsetup; }
fi
menuentry 'Restart' --id restart { reboot; }
menuentry 'Switch off' --id off { halt; }
`;
