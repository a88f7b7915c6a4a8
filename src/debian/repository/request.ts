/** A package chosen from verified indexes, its file on this machine and its checksum verified. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** `amd64`, `all`, … */
  readonly architecture: string;
  readonly essential: boolean;
  readonly priority: string;
  readonly section: string;
  /** Its stanza of the Packages index, fields by name as written. */
  readonly control: ReadonlyMap<string, string>;
  /** The .deb on this machine, in the cache. */
  readonly file: string;
}

export type PriorityClass = "essential" | "required" | "important" | "standard";

export interface PackageRequest {
  /** A codename or suite: `bookworm`, `stable`, `unstable`. */
  readonly release: string;
  /** `amd64`, … */
  readonly architecture: string;
  /** Names; also `name=version`, and alternatives `a | b`. */
  readonly include: readonly string[];
  /** Names of packages not to be chosen whatever depends on them. */
  readonly exclude?: readonly string[];
  readonly priorities: readonly PriorityClass[];
  readonly recommends?: boolean;
  /** Each `URL[ suite[ components]]`. Absent: the machine's apt sources. */
  readonly mirrors?: readonly string[];
  /** Files. Absent: what the sources say, else the keyring of Debian's archive and those that apt trusts. */
  readonly keyrings?: readonly string[];
  readonly cacheFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly nowMs: number;
}

/** A suite that packages came from. */
export interface ChosenSuite {
  readonly url: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly codename: string;
  /** The fingerprint of the primary key whose signature counted; empty where apt trusts the source without one. */
  readonly signedBy: string;
}

export interface ChosenPackages {
  /** Each after what it pre-depends on, and after what it depends on where these do not go in a circle. */
  readonly packages: readonly DebianPackage[];
  readonly suites: readonly ChosenSuite[];
  readonly warnings: readonly string[];
}

/** A package that would be fetched. */
export interface PlannedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of the .deb. */
  readonly sizeBytes: number;
}

export interface PackagePlan {
  /** In the order of `ChosenPackages`. */
  readonly packages: readonly PlannedPackage[];
  readonly suites: readonly ChosenSuite[];
  readonly warnings: readonly string[];
}
