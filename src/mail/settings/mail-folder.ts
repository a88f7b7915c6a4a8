import * as path from "node:path";

/** Where things lie on a mail machine. */
export interface MailPaths {
  readonly folder: string;
  /** Settings of the server: `mail.toml`. */
  readonly settings: string;
  /** Certificate authority, certificates, revocation list. */
  readonly pki: string;
  /** `domains/example.org/imap.passwd` and `imap.shadow`. */
  readonly domains: string;
  readonly aliases: string;
}

/** The folder that a mail verb works in: the one given, else `$HOLDFAST_MAIL`, else root's or the user's own. */
export function mailFolder(given: string | undefined, env: NodeJS.ProcessEnv, isRoot: boolean): string {
  const named = given ?? env["HOLDFAST_MAIL"] ?? "";
  if (named !== "") return path.resolve(named);
  if (isRoot) return "/etc/holdfast/mail";
  return path.join(env["XDG_CONFIG_HOME"] ?? path.join(env["HOME"] ?? "/", ".config"), "holdfast/mail");
}

export function mailPaths(folder: string): MailPaths {
  return {
    folder,
    settings: path.join(folder, "mail.toml"),
    pki: path.join(folder, "pki"),
    domains: path.join(folder, "domains"),
    aliases: path.join(folder, "aliases"),
  };
}
