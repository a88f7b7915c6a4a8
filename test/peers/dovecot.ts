/** Debian's Dovecot from a configuration of its own, on loopback, as an ordinary process. */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import { connect } from "node:net";
import { once } from "node:events";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { ImapTalk } from "./imap-talk.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { freePort, startServer } from "./server.ts";

export type DovecotProtocol = "imap" | "pop3" | "lmtp";

export interface DovecotOptions {
  /** Only IMAP where not given. */
  readonly protocols?: readonly DovecotProtocol[];
  /** Names and passwords; `joe` with `secret` where not given. */
  readonly users?: Readonly<Record<string, string>>;
  /** As in Dovecot's own setting; `maildir:~/Maildir` where not given. `~` is `home(user)`. */
  readonly mailLocation?: string;
  /** Offers STARTTLS and the ports of TLS alone; a client certificate is asked for where there is a CA. */
  readonly tls?: DovecotTls;
  /** More lines of configuration, put last. */
  readonly settings?: string;
  /** A port of these lines at which it answers once it is up; else that of the first protocol. */
  readonly readyPort?: number;
}

export interface DovecotTls {
  /** Paths of PEM files. */
  readonly certificate: string;
  readonly key: string;
  /** Whose client certificates are let in, without which nobody is. With its CRL in the same file where `hasCrl`. */
  readonly ca?: string;
  readonly hasCrl?: boolean;
}

export interface Dovecot extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly imapPort: number;
  readonly imapsPort: number;
  readonly pop3Port: number;
  readonly pop3sPort: number;
  readonly lmtpPort: number;
  readonly lmtpSocket: string;
  readonly configuration: string;
  home(user?: string): string;
  /** A new connection of IMAP without TLS, logged in. */
  logIn(user?: string): Promise<ImapTalk>;
  /** What `doveadm` prints. */
  doveadm(...words: readonly string[]): string;
  /** What it wrote to its log. */
  log(): string;
  /** Ends it with all its processes; its folder stays until it is disposed of. */
  stop(): Promise<void>;
  /** Again, with the same folder and ports. */
  start(): Promise<void>;
}

/** False where Dovecot can be started; else why not. */
export function skipDovecot(...more: readonly string[]): string | false {
  return skipWithout("dovecot", "doveadm", ...(isRoot ? ["unshare"] : []), ...more);
}

const isRoot = process.getuid?.() === 0;

/**
 * Dovecot refuses to open mail as root. Where a test runs as root, Dovecot runs in a namespace in which this very user
 * is called nobody: both may do the same with all files, and those of either look like one's own to the other.
 */
const asOther = isRoot ? ["--user", "--map-user=65534", "--map-group=65534"] : undefined;

function wordsOf(program: string, words: readonly string[]): [string, string[]] {
  return asOther === undefined ? [program, [...words]] : ["unshare", [...asOther, program, ...words]];
}

export async function startDovecot(options: DovecotOptions = {}): Promise<Dovecot> {
  const folder = temporaryFolder();
  const users = options.users ?? { joe: "secret" };
  const names = ["imap", "imaps", "pop3", "pop3s", "lmtp"] as const;
  const ports = new Map<string, number>();
  for (const name of names) ports.set(name, await freePort());
  const port = (name: (typeof names)[number]): number => ports.get(name) ?? 0;
  const home = (user = "joe"): string => folder.join("home", user);
  for (const user of Object.keys(users)) fs.mkdirSync(home(user), { recursive: true, mode: 0o700 });
  const passwords = Object.entries(users).map(([user, password]) => `${user}:{PLAIN}${password}\n`);
  fs.writeFileSync(folder.join("passwords"), passwords.join(""));
  const configuration = folder.join("dovecot.conf");
  fs.writeFileSync(configuration, configurationOf(folder, options, port));
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const first = options.protocols?.[0] ?? "imap";
    const ready = options.readyPort ?? port(first);
    child = await startServer(...wordsOf("dovecot", ["-F", "-c", configuration]), ready);
  };
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  };
  await start();
  return {
    folder,
    imapPort: port("imap"),
    imapsPort: port("imaps"),
    pop3Port: port("pop3"),
    pop3sPort: port("pop3s"),
    lmtpPort: port("lmtp"),
    lmtpSocket: folder.join("run", "lmtp"),
    configuration,
    home,
    async logIn(user = "joe") {
      const talk = await ImapTalk.start(connect(port("imap"), "127.0.0.1"));
      await talk.ok(`LOGIN ${user} ${users[user]}`);
      return talk;
    },
    doveadm: (...words) => runPeer(...wordsOf("doveadm", ["-c", configuration, ...words])),
    log: () => (fs.existsSync(folder.join("log")) ? fs.readFileSync(folder.join("log"), "utf8") : ""),
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function configurationOf(
  folder: TemporaryFolder,
  options: DovecotOptions,
  port: (name: "imap" | "imaps" | "pop3" | "pop3s" | "lmtp") => number,
): string {
  const user = isRoot ? "nobody" : os.userInfo().username;
  const group = isRoot ? "nogroup" : runPeer("id", ["-gn"]).trim();
  const { tls } = options;
  const withoutChroot = ["imap-login", "pop3-login", "submission-login", "anvil", "stats", "director"];
  const inetListener = (name: string, number: number, more = ""): string => {
    return `  inet_listener ${name} {\n    address = 127.0.0.1\n    port = ${number}\n${more}  }`;
  };
  return [
    `protocols = ${(options.protocols ?? ["imap"]).join(" ")}`,
    "listen = 127.0.0.1",
    `base_dir = ${folder.join("run")}`,
    `state_dir = ${folder.join("state")}`,
    `log_path = ${folder.join("log")}`,
    `default_internal_user = ${user}`,
    `default_internal_group = ${group}`,
    `default_login_user = ${user}`,
    "default_process_limit = 700",
    "default_client_limit = 2000",
    "first_valid_uid = 1",
    "first_valid_gid = 1",
    "disable_plaintext_auth = no",
    "mail_max_userip_connections = 1000",
    `mail_location = ${options.mailLocation ?? "maildir:~/Maildir"}`,
    "namespace inbox {\n  inbox = yes\n  separator = /\n}",
    `passdb {\n  driver = passwd-file\n  args = username_format=%n ${folder.join("passwords")}\n}`,
    `userdb {\n  driver = static\n  args = uid=${user} gid=${group} home=${folder.join("home")}/%n\n}`,
    ...withoutChroot.map((service) => `service ${service} {\n  chroot =\n}`),
    "service imap-login {",
    inetListener("imap", port("imap")),
    inetListener("imaps", tls === undefined ? 0 : port("imaps"), "    ssl = yes\n"),
    "}",
    "service pop3-login {",
    inetListener("pop3", port("pop3")),
    inetListener("pop3s", tls === undefined ? 0 : port("pop3s"), "    ssl = yes\n"),
    "}",
    "service lmtp {",
    "  unix_listener lmtp {\n    mode = 0666\n  }",
    inetListener("lmtp", port("lmtp")),
    "}",
    ...tlsSettings(tls),
    options.settings ?? "",
    "",
  ].join("\n");
}

function tlsSettings(tls: DovecotTls | undefined): string[] {
  if (tls === undefined) return ["ssl = no"];
  const own = ["ssl = yes", `ssl_cert = <${tls.certificate}`, `ssl_key = <${tls.key}`];
  if (tls.ca === undefined) return own;
  const crl = `ssl_require_crl = ${tls.hasCrl === true ? "yes" : "no"}`;
  return [...own, `ssl_ca = <${tls.ca}`, crl, "ssl_verify_client_cert = yes", "auth_ssl_require_client_cert = yes"];
}
