import * as fs from "node:fs";
import { BlockList, isIPv6 } from "node:net";
import * as path from "node:path";
import { isSystemError } from "../../base/index.ts";
import { hashPassword } from "./argon2.ts";
import { KnownPasswords } from "./known-passwords.ts";
import { readPasswdFile, type PasswdEntry } from "./passwd-file.ts";
import { canVerify, parseStored, verifyPassword, type StoredPassword } from "./stored-password.ts";

/** A user as the files of the domain have it. */
export interface FoundUser {
  /** `joe@example.org`, in lower case. */
  readonly user: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly home?: string;
  /** `userdb_mail`: a location of this user's own. */
  readonly location?: string;
  /** `userdb_quota_rule`: how much this user's mail may be. */
  readonly quotaBytes?: number;
}

/** What a check of a password came to. `why` is for the audit; whoever asks is told nothing of it. */
export type PasswordCheck =
  | { readonly isRight: true; readonly user: FoundUser }
  | { readonly isRight: false; readonly why: string };

export interface LoginAttempt {
  readonly remoteAddress: string;
  /** Whether the certificate is that user's. */
  readonly isShown: boolean;
}

interface CachedFile {
  readonly mark: string;
  readonly entries: ReadonlyMap<string, PasswdEntry>;
}

/**
 * The users of several domains: `DOMAIN/imap.passwd`, with the passwords in `DOMAIN/imap.shadow` where there is one.
 * Files are read again when they have changed.
 */
export class UserDirectory {
  readonly #folder: string;
  readonly #domains: readonly string[];
  readonly #cached = new Map<string, CachedFile>();
  #dummy: Promise<string> | undefined;

  readonly #known: KnownPasswords;

  constructor(folder: string, domains: readonly string[], clock: () => number) {
    this.#folder = folder;
    this.#domains = domains;
    this.#known = new KnownPasswords(clock);
  }

  /** Finds a user without a password, for EXTERNAL and for mail that comes in. */
  find(user: string): FoundUser | undefined {
    const found = this.#entriesOf(user.toLowerCase());
    return found === undefined ? undefined : foundUser(user.toLowerCase(), found.account);
  }

  /** Whether a user may log in from an address at all. */
  whyNot(user: string, remoteAddress: string): string | undefined {
    const found = this.#entriesOf(user.toLowerCase());
    return found === undefined ? "unknown user" : whyKeptOut(found.secret.extra, remoteAddress);
  }

  /**
   * Checks a password. Takes as long for a user who is not there: then the password of another of that domain is
   * compared, by the same scheme at the same cost. Only to whoever is shown to be that user may it answer sooner, because
   * the password was right a short while ago: others would learn by it that they have found it.
   */
  async check(user: string, password: string, { remoteAddress, isShown }: LoginAttempt): Promise<PasswordCheck> {
    const name = user.toLowerCase();
    const found = this.#entriesOf(name);
    const stored = found?.secret.password === undefined ? undefined : parseStored(found.secret.password);
    if (found !== undefined && stored === undefined && found.secret.extra.has("nopassword")) {
      const why = whyKeptOut(found.secret.extra, remoteAddress);
      return why === undefined ? { isRight: true, user: foundUser(name, found.account) } : { isRight: false, why };
    }
    const compared = stored !== undefined && canVerify(stored) ? stored : await this.#otherPassword(domainOf(name));
    const verify = (): Promise<boolean> => verifyPassword(password, compared);
    const isRight = isShown
      ? await this.#known.check(`${compared.scheme} ${compared.data}`, password, verify)
      : await verify();
    if (found === undefined) return { isRight: false, why: "unknown user" };
    if (stored === undefined) return { isRight: false, why: "no password set" };
    if (!canVerify(stored)) return { isRight: false, why: `unknown password scheme ${stored.scheme}` };
    const why = isRight ? whyKeptOut(found.secret.extra, remoteAddress) : "wrong password";
    return why === undefined ? { isRight: true, user: foundUser(name, found.account) } : { isRight: false, why };
  }

  #entriesOf(user: string): { readonly account: PasswdEntry; readonly secret: PasswdEntry } | undefined {
    const domain = domainOf(user);
    if (!this.#domains.includes(domain)) return undefined;
    const account = entryOf(this.#read(domain, "imap.passwd"), user);
    const shadow = this.#read(domain, "imap.shadow");
    const secret = shadow === undefined ? account : entryOf(shadow, user);
    return account === undefined || secret === undefined ? undefined : { account, secret };
  }

  async #otherPassword(domain: string): Promise<StoredPassword> {
    if (this.#domains.includes(domain)) {
      const entries = this.#read(domain, "imap.shadow") ?? this.#read(domain, "imap.passwd") ?? new Map();
      for (const { password } of entries.values()) {
        const stored = password === undefined ? undefined : parseStored(password);
        if (stored !== undefined && canVerify(stored)) return stored;
      }
    }
    this.#dummy ??= hashPassword("nobody has this one");
    return parseStored(await this.#dummy);
  }

  #read(domain: string, name: string): ReadonlyMap<string, PasswdEntry> | undefined {
    const file = path.join(this.#folder, domain, name);
    const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) {
      this.#cached.delete(file);
      return undefined;
    }
    const mark = `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
    const cached = this.#cached.get(file);
    if (cached?.mark === mark) return cached.entries;
    try {
      const entries = readPasswdFile(fs.readFileSync(file, "utf8"));
      this.#cached.set(file, { mark, entries });
      return entries;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return undefined; // gone since
      throw error;
    }
  }
}

/** A file of a domain may name its users with the domain or without. */
function entryOf(entries: ReadonlyMap<string, PasswdEntry> | undefined, user: string): PasswdEntry | undefined {
  return entries?.get(user) ?? entries?.get(user.slice(0, user.lastIndexOf("@")));
}

function domainOf(user: string): string {
  return user.slice(user.lastIndexOf("@") + 1);
}

function foundUser(user: string, { uid, gid, home, extra }: PasswdEntry): FoundUser {
  const location = extra.get("userdb_mail");
  return {
    user,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(home === undefined ? {} : { home }),
    ...(location === undefined ? {} : { location }),
    ...quotaOf(extra.get("userdb_quota_rule") ?? ""),
  };
}

/** `*:storage=1G` */
function quotaOf(rule: string): { readonly quotaBytes?: number } {
  const [, count, unit = "k"] = /^\*:storage=(\d{1,12})([bkMGT]?)(?::|$)/i.exec(rule) ?? [];
  if (count === undefined) return {};
  const power = ["b", "k", "m", "g", "t"].indexOf(unit.toLowerCase());
  return { quotaBytes: Number(count) * 1024 ** (power === -1 ? 1 : power) };
}

function whyKeptOut(extra: ReadonlyMap<string, string>, remoteAddress: string): string | undefined {
  if (extra.has("nologin")) return "nologin is set";
  const nets = extra.get("allow_nets");
  return nets === undefined || isInNets(remoteAddress, nets) ? undefined : "address not in allow_nets";
}

/** `192.0.2.0/24,2001:db8::/32,::1`; what is no address is left out. */
function isInNets(address: string, nets: string): boolean {
  const list = new BlockList();
  for (const net of nets.split(",")) {
    const [base = "", bits] = net.trim().split("/");
    const family = isIPv6(base) ? "ipv6" : "ipv4";
    try {
      if (bits === undefined) list.addAddress(base, family);
      else list.addSubnet(base, Number(bits), family);
    } catch {
      // No address: nobody is in it.
    }
  }
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "");
  return list.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}
