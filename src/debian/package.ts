/** A Debian package that is to be part of a system: what the archive's index says of it, and its file. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly essential: boolean;
  readonly priority: string;
  readonly section: string;
  /** Its stanza in the index. */
  readonly control: ReadonlyMap<string, string>;
  /** The path of the .deb. */
  readonly file: string;
}
