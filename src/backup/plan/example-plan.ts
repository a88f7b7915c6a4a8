/** A plan with all that can be in one. What is commented out stands there with what holds without it, or as an example. */
const examplePlan = `# What is saved while nobody watches: holdfast backup run THIS-FILE
# Relative paths are meant from the folder of this file.

# Where each run leaves a line for each job: "syslog" (the journal too), or a file. What a run prints goes to the
# journal anyway where systemd starts it.
# log = "syslog"

# Holds for every job that does not say otherwise. All keys of a job can be here, but name and source.
[defaults]
target = "/mnt/backups"         # a folder; each backup gets one of its own in it
# target = "sftp://backup@host/folder"      # on another machine, whose key is known
# identity = "/root/.ssh/backup"   # the private key for that; or target_password_file, target_password_env
# target_mount = "/mnt/backups" # must be a mount point, so that nothing fills the disk below it
# target_missing = "fail"       # or "skip": a disk that is not plugged in is no failure
# compress = "zstd"             # or "gzip", "xz", "lz4", "none"
# level = 3
# volume_size = "2GB"
# unchecked = false             # true: save file systems without looking for damage first
# fsck = false                  # true: let e2fsck and its kin look first, too
# freeze = false                # true: save what is mounted; whoever writes to it waits meanwhile
# snapshot = false              # true: save a logical volume of LVM from a snapshot; nobody waits
# snapshot_size = "5GB"         # room for what is overwritten meanwhile; else most of what is free in its group
# ignore_room = false           # true: begin even where the target seems to have too little room
# retries = 2                   # how often a sector that cannot be read is read again
# check = "all"                 # read the new backup again; or "none"; or "boot": start it in a virtual machine too
# boot_text = "login:"          # what its serial port has to say; else any sign of life will do
# boot_limit = "10m"            # and within which time
# boot_emulated = false         # true: without the processor's own virtualisation
keep_last = 3                   # older backups of the same job are deleted once the new one is known to be good
keep_daily = 7
keep_weekly = 4
keep_monthly = 12
# keep_hourly = 24
# keep_yearly = 5
# keep_within = "14d"           # 1y6m2d12h: all that are not older than that before the newest
# hook_limit = "1h"             # commands that take longer are ended, and have failed

[[job]]
name = "laptop"                 # its backups are called 2026-11-30-1205-laptop
source = "id:ata-Samsung_SSD_870_EVO_1TB_S6PUNX0T000000"   # as in /dev/disk/by-id
# source = "serial:S6PUNX0T000000"
# partitions = [1, 2]           # only these of the disk
# only_if = "on_ac_power"       # the job is left out where this does not end with status 0
# before = ["systemctl stop postgresql"]   # where one fails, nothing is saved
# after = ["systemctl start postgresql"]   # run in any case, with HOLDFAST_STATUS and HOLDFAST_BACKUP

# [[job]]
# name = "system"
# source = "/dev/vg/root"       # a logical volume, the running system's own too
# snapshot = true

[[job]]
name = "mail-server"
source = "images/mail.img"
keep_daily = 30

# Who is told, and when: on = "failure", or "always".
# [[mail]]
# on = "failure"
# to = "anna@example.org"
# from = "backup@example.org"
# smtp = "smtps://mail.example.org"        # without: the system's sendmail
# user = "backup"
# password_file = "/etc/holdfast/mail-password"   # or password_env = "NAME"
# ca_file = "/etc/holdfast/ca.pem"         # who vouches for the server, instead of the usual ones

# [[web_hook]]                    # the summary is sent there as JSON, by POST
# on = "always"
# url = "https://example.org/backups"      # or url_file, url_env where the address is a secret
# token_file = "/etc/holdfast/token"       # sent as Authorization: Bearer; or token_env
`;

/** A plan to begin with. */
export async function exampleOfPlan(): Promise<string> {
  return examplePlan;
}
