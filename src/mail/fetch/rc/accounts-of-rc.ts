import * as path from "node:path";
import { Failure } from "../../../base/index.ts";
import type { Account, Destination, SmtpHost } from "../account.ts";
import type { TlsSettings } from "../../client/index.ts";
import { effectiveServers, flagOf, listOf, numberOf, textOf } from "./effective.ts";
import type { RcFile, RcServer, RcUser, Setting } from "./rc-file.ts";
import { refuseUnsupported } from "./unsupported.ts";

export interface RcContext {
  /** Who runs this: the name that stands for those that are not said. */
  readonly userName: string;
  readonly home: string;
  /** Only these, `skip` or not; every `poll` where none is named. */
  readonly servers: readonly string[];
}

const ports = { pop3: { plain: 110, tls: 995 }, imap: { plain: 143, tls: 993 } } as const;
const services: Readonly<Record<string, number>> = { pop3: 110, pop3s: 995, imap: 143, imap2: 143, imaps: 993 };
const usualTimeoutSeconds = 300;

/** The accounts that a `.fetchmailrc` has polled. What it asks for and this program cannot do throws, with the line. */
export function accountsOfRc(file: RcFile, context: RcContext): readonly Account[] {
  const servers = effectiveServers(file);
  const unknown = context.servers.find((name) => !servers.some((server) => isCalled(server, name)));
  if (unknown !== undefined) {
    const names = servers.map(({ name }) => name).join(", ");
    throw new Failure("not-found", `cannot fetch from "${unknown}": "${file.path}" has no such server`, {
      hint: names === "" ? "it has none" : `it has ${names}`,
    });
  }
  const polled = servers.filter((server) => {
    return context.servers.length === 0 ? server.isPolled : context.servers.some((name) => isCalled(server, name));
  });
  return polled.flatMap((server) =>
    server.users.map((user) => new AccountReader(file, server, user, context).account()),
  );
}

function isCalled(server: RcServer, name: string): boolean {
  return server.name === name || textOf(server.options, "via") === name;
}

class AccountReader {
  readonly #file: RcFile;
  readonly #server: RcServer;
  readonly #user: RcUser;
  readonly #context: RcContext;

  constructor(file: RcFile, server: RcServer, user: RcUser, context: RcContext) {
    this.#file = file;
    this.#server = server;
    this.#user = user;
    this.#context = context;
  }

  account(): Account {
    const { options: server, name: pollName } = this.#server;
    const { options: user, password } = this.#user;
    refuseUnsupported(this.#file.path, server, user);
    refuseUnsupported(this.#file.path, this.#file.globals, new Map());
    const remote = this.#user.remote ?? this.#context.userName;
    const protocol = this.#protocol();
    const host = textOf(server, "via") ?? pollName;
    const tls = this.#tls();
    const preconnect = textOf(user, "preconnect");
    const postconnect = textOf(user, "postconnect");
    return {
      name: `${remote}@${pollName}`,
      pollName,
      protocol,
      host,
      port: this.#port(protocol, tls),
      tls,
      user: remote,
      ...(password === undefined ? {} : { password }),
      auth: this.#auth(),
      timeoutMs: numberOf(server, "timeout", usualTimeoutSeconds) * 1000,
      interval: Math.max(1, numberOf(server, "interval")),
      folders: listOf(user, "folder"),
      localUser: this.#localUser(),
      destination: this.#destination(),
      keeps: flagOf(user, "keep"),
      flushes: flagOf(user, "flush"),
      fetchesAll: flagOf(user, "fetchall"),
      flushesLarge: flagOf(user, "limitflush"),
      idles: flagOf(user, "idle") && protocol === "imap",
      limitBytes: numberOf(user, "limit"),
      fetchLimit: numberOf(user, "fetchlimit"),
      batchLimit: numberOf(user, "batchlimit"),
      lineEnds: this.#lineEnds(),
      header: {
        isInvisible: flagOf(this.#file.globals, "invisible"),
        tracesPolls: flagOf(server, "tracepolls"),
        dropsStatus: flagOf(user, "dropstatus"),
        dropsDelivered: flagOf(user, "dropdelivered"),
      },
      ...(preconnect === undefined ? {} : { preconnect }),
      ...(postconnect === undefined ? {} : { postconnect }),
    };
  }

  #protocol(): Account["protocol"] {
    const setting = this.#server.options.get("protocol");
    const protocol = setting?.value ?? "auto";
    if (protocol === "pop3" || protocol === "apop") return "pop3";
    if (protocol === "imap") return "imap";
    const line = setting?.line ?? this.#server.line;
    throw this.#failure(
      line,
      `the protocol "${String(protocol)}" is not one of this program`,
      "write proto pop3 or proto imap",
    );
  }

  #auth(): Account["auth"] {
    if (textOf(this.#server.options, "protocol") === "apop") return "apop";
    const auth = textOf(this.#server.options, "auth") ?? "any";
    if (auth === "any" || auth === "password" || auth === "cram-md5" || auth === "external") return auth;
    const line = this.#server.options.get("auth")?.line ?? this.#server.line;
    throw this.#failure(line, `auth ${auth} is not one of this program`, "it has any, password, cram-md5 and external");
  }

  #port(protocol: Account["protocol"], tls: TlsSettings): number {
    const setting = this.#server.options.get("service");
    const usual = tls.mode === "implicit" ? ports[protocol].tls : ports[protocol].plain;
    if (setting === undefined) return usual;
    const text = String(setting.value);
    const port = /^\d{1,5}$/.test(text) ? Number(text) : services[text.toLowerCase()];
    if (port !== undefined && port > 0 && port < 65536) return port;
    throw this.#failure(setting.line, `"${text}" is no port`, "a number from 1 to 65535, or pop3, pop3s, imap, imaps");
  }

  #tls(): TlsSettings {
    const { options } = this.#user;
    const proto = options.get("sslproto");
    const certificateFile = this.#path("sslcert");
    // fetchmail takes the key from the certificate's file where no other is named, and the other way round.
    const keyFile = this.#path("sslkey") ?? certificateFile;
    const caFile = this.#path("sslcertfile");
    const caFolder = this.#path("sslcertpath");
    const fingerprint = textOf(options, "sslfingerprint");
    const name = textOf(options, "sslcommonname");
    const isChecked = flagOf(options, "sslcertck", true);
    const range = this.#versions(proto);
    const mode = flagOf(options, "ssl") ? "implicit" : proto?.value === "" ? "none" : "starttls";
    return {
      mode,
      isChecked,
      ...(certificateFile === undefined && keyFile === undefined
        ? {}
        : { certificateFile: certificateFile ?? keyFile, keyFile }),
      ...(caFile === undefined ? {} : { caFile }),
      ...(caFolder === undefined ? {} : { caFolder }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(name === undefined ? {} : { name }),
      ...range,
    } as TlsSettings;
  }

  /** Nothing older than TLS 1.2 is spoken, whatever is asked for: `tls1+` is as good as `tls1.2+`. */
  #versions(setting: Setting | undefined): Pick<TlsSettings, "minimum" | "maximum"> {
    const value = String(setting?.value ?? "auto").toLowerCase();
    if (["", "auto", "ssl23", "tls1+", "tls1.1+", "tls1.2+", "ssl3+"].includes(value)) return {};
    if (value === "tls1.3+" || value === "tls1.3") return { minimum: "TLSv1.3" };
    if (value === "tls1.2") return { maximum: "TLSv1.2" };
    throw this.#failure(
      setting?.line ?? 0,
      `sslproto ${value} is not one of this program`,
      "it has auto, tls1.2, tls1.2+, tls1.3, tls1.3+",
    );
  }

  #localUser(): string {
    const { localNames, line } = this.#user;
    const [first, second] = localNames;
    if (first === undefined) return this.#context.userName;
    if (second === undefined && first.theirs === first.ours) return first.ours;
    throw this.#failure(
      line,
      "one mailbox for several users (multidrop) is not one of this program's",
      "name one local user: is joe here",
    );
  }

  #lineEnds(): Account["lineEnds"] {
    const { options } = this.#user;
    if (flagOf(options, "stripcr", textOf(options, "mda") !== undefined)) return "lf";
    return flagOf(options, "forcecr") ? "crlf" : "as-is";
  }

  #destination(): Destination {
    const { options } = this.#user;
    const command = textOf(options, "mda");
    if (command !== undefined) return { kind: "pipe", command };
    const isLmtp = flagOf(options, "lmtp");
    const names = listOf(options, "smtphost");
    const hosts = (names.length === 0 ? ["localhost"] : names).map((name) => this.#smtpHost(name, isLmtp));
    const login = this.#smtpLogin();
    const domain = textOf(options, "smtpaddress") ?? "localhost";
    const recipient = textOf(options, "smtpname");
    return {
      kind: isLmtp ? "lmtp" : "smtp",
      hosts,
      domain,
      ...(recipient === undefined ? {} : { recipient }),
      ...(login === undefined ? {} : { login }),
    };
  }

  #smtpHost(text: string, isLmtp: boolean): SmtpHost {
    if (text.startsWith("/")) return { host: "localhost", port: 0, socketPath: text };
    const [host = "", port] = text.split("/");
    if (isLmtp && port === undefined) {
      const line = this.#user.options.get("lmtp")?.line ?? this.#user.line;
      throw this.#failure(
        line,
        "LMTP has no usual port",
        "write smtphost localhost/24, or smtphost and the path of a socket",
      );
    }
    return { host, port: port === undefined ? 25 : Number(port) };
  }

  #smtpLogin(): { readonly user: string; readonly password: string } | undefined {
    const user = textOf(this.#server.options, "esmtpname");
    const password = textOf(this.#server.options, "esmtppassword");
    return user === undefined || password === undefined ? undefined : { user, password };
  }

  /** A path is seen from the folder of the file, as fetchmail has it; `~` is not put in by it, and is here. */
  #path(name: string): string | undefined {
    const text = textOf(this.#user.options, name);
    if (text === undefined) return undefined;
    if (text.startsWith("~/")) return path.join(this.#context.home, text.slice(2));
    return path.resolve(path.dirname(this.#file.path), text);
  }

  #failure(line: number, what: string, hint: string): Failure {
    return new Failure("unsupported", `cannot follow "${this.#file.path}": line ${line}: ${what}`, { hint });
  }
}
