/** One line of a passwd-file. Fields that are empty are absent. */
export interface PasswdEntry {
  readonly user: string;
  /** With its `{SCHEME}`; absent where there is none. */
  readonly password?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly home?: string;
  /** `nopassword`, `allow_nets`, `userdb_mail`: a key without a value has `""`. */
  readonly extra: ReadonlyMap<string, string>;
}

/**
 * A passwd-file as Dovecot reads it: `user:password:uid:gid:(gecos):home:(shell):extra fields`, where all behind the
 * user may be absent. Empty lines and those that begin with `#` count for nothing, and neither do those whose uid or gid
 * is no number. Of a user's several lines the first holds. Names are as they are written.
 */
export function readPasswdFile(text: string): ReadonlyMap<string, PasswdEntry> {
  const entries = new Map<string, PasswdEntry>();
  for (const line of text.split("\n")) {
    const [user = "", password = "", uid = "", gid = "", , home = "", , ...extra] = line.replace(/\r$/, "").split(":");
    if (user === "" || user.startsWith("#") || entries.has(user)) continue;
    if (!/^\d{0,10}$/.test(uid) || !/^\d{0,10}$/.test(gid)) continue;
    entries.set(user, {
      user,
      ...(password === "" ? {} : { password }),
      ...(uid === "" ? {} : { uid: Number(uid) }),
      ...(gid === "" ? {} : { gid: Number(gid) }),
      ...(home === "" ? {} : { home }),
      extra: readExtra(extra.join(":")),
    });
  }
  return entries;
}

function readExtra(text: string): ReadonlyMap<string, string> {
  const fields = text.split(" ").filter((field) => field !== "");
  return new Map(
    fields.map((field) => {
      const at = field.indexOf("=");
      return at === -1 ? ([field, ""] as const) : ([field.slice(0, at), field.slice(at + 1)] as const);
    }),
  );
}
