/** What is to be saved while nobody watches, as a plan file says it; nothing in it is relative any more. */
export interface BackupPlan {
  /** The plan's file. */
  readonly path: string;
  readonly jobs: readonly PlanJob[];
  /** `syslog`, or a file that lines are added to. */
  readonly log?: string;
  readonly mails: readonly MailNotice[];
  readonly webHooks: readonly WebHook[];
}

/** One disk that is saved to one place. */
export interface PlanJob {
  /** Ends the names of its backups: `2026-11-30-1205-laptop`. */
  readonly name: string;
  readonly source: PlanSource;
  /** Where the backups' own folders are made: a folder, or the address of a store. */
  readonly target: string;
  /** Of its disk only these partitions; absent: all. */
  readonly partitions?: readonly number[];
  /** A private key for a target that is reached by SFTP. */
  readonly identity?: string;
  readonly targetPassword?: Secret;
  readonly whenTargetIsMissing: "fail" | "skip";
  /** A folder that has to be a mount point: else what is meant for a disk would fill the one below it. */
  readonly targetMount?: string;
  readonly compress: "zstd" | "gzip" | "xz" | "lz4" | "none";
  readonly level?: number;
  readonly volumeBytes: number;
  readonly isUnchecked: boolean;
  /** Let the system's own programs look at file systems too. */
  readonly isCheckedBySystem: boolean;
  /** Save a device that is mounted, and let its file systems stand still meanwhile. */
  readonly isFrozen: boolean;
  /** Save a logical volume of LVM from a snapshot that is taken for that, with so much room where that is told. */
  readonly snapshot?: { readonly sizeBytes?: number };
  /** Begin also where the target seems to have too little room. */
  readonly isRoomIgnored: boolean;
  /** How often a sector that cannot be read is read again. */
  readonly retries: number;
  /** What becomes of a backup once it is there. */
  readonly check: PlanCheck;
  /** Absent: nothing is ever forgotten. */
  readonly keep?: KeepRules;
  /** The job is left out, without being a failure, where this command does not end with status 0. */
  readonly onlyIf?: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** A command that takes longer is ended, and has failed. */
  readonly hookLimitMs: number;
}

/** How the disk to be saved is found; it may be called otherwise at every start of the machine. */
export type PlanSource =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "serial"; readonly serial: string };

export type PlanCheck =
  | { readonly kind: "none" | "all" }
  | { readonly kind: "boot"; readonly until?: string; readonly timeLimitMs: number; readonly isEmulated: boolean };

/** How many of the newest are kept of each kind; of a day, a week, … the last. Those that are absent keep nothing. */
export interface KeepRules {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  /** All that are not older than this before the newest one. */
  readonly within?: KeptSpan;
}

/** `1y2m10d6h`: calendar years and months, then days and hours. */
export interface KeptSpan {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

/** When somebody is told: of every run, or only of those that need looking after. */
export type ToldOf = "always" | "failure";

/** A secret is never in the plan itself. */
export type Secret = { readonly file: string } | { readonly variable: string };

export interface MailNotice {
  readonly of: ToldOf;
  readonly to: readonly string[];
  readonly from?: string;
  /** Absent: the system's `sendmail` takes it. */
  readonly server?: MailServer;
}

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** `smtps`: TLS from the first byte. Else STARTTLS, without which no password is sent to another machine. */
  readonly isTls: boolean;
  readonly user?: string;
  readonly password?: Secret;
  /** Certificates of those who may vouch for the server, instead of the usual ones. */
  readonly authorities?: string;
}

export interface WebHook {
  readonly of: ToldOf;
  readonly url: string | Secret;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: Secret;
}
