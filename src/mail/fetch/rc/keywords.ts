/** What a keyword of a `.fetchmailrc` takes, and under which name its value is kept. */
export interface Keyword {
  readonly name: string;
  readonly takes:
    | "flag"
    | "number"
    | "string"
    | "port"
    | "protocol"
    | "auth"
    | "strings"
    | "numbers"
    | "envelope"
    | "header";
}

function flags(...names: readonly string[]): readonly (readonly [string, Keyword])[] {
  return names.map((name) => [name, { name, takes: "flag" }]);
}

function numbers(...names: readonly string[]): readonly (readonly [string, Keyword])[] {
  return names.map((name) => [name, { name, takes: "number" }]);
}

function strings(...names: readonly string[]): readonly (readonly [string, Keyword])[] {
  return names.map((name) => [name, { name, takes: "string" }]);
}

function called(
  takes: Keyword["takes"],
  name: string,
  ...words: readonly string[]
): readonly (readonly [string, Keyword])[] {
  return words.map((word) => [word, { name, takes }]);
}

/** After `poll NAME`, before the first `user`. */
export const serverKeywords: ReadonlyMap<string, Keyword> = new Map([
  ...strings("via", "interface", "monitor", "plugin", "plugout", "principal", "qvirtual", "esmtpname", "esmtppassword"),
  ...called("protocol", "protocol", "proto", "protocol"),
  ...called("port", "service", "port", "service"),
  ...called("auth", "auth", "auth", "authenticate"),
  ...numbers("timeout", "interval"),
  ...flags("uidl", "dns", "checkalias", "tracepolls"),
  ...called("strings", "aka", "aka"),
  ...called("strings", "localdomains", "local", "localdomains"),
  ...called("envelope", "envelope", "envelope"),
  ...called("header", "badheader", "bad-header", "badheader"),
]);

/** After a `user`; those of a server that names none stand for the user who runs this. */
export const userKeywords: ReadonlyMap<string, Keyword> = new Map([
  ...flags("keep", "flush", "limitflush", "fetchall", "rewrite", "stripcr", "forcecr", "pass8bits", "dropstatus"),
  ...flags("dropdelivered", "mimedecode", "idle", "ssl", "sslcertck", "lmtp"),
  ...numbers("limit", "warnings", "fetchlimit", "fetchsizelimit", "fastuidl", "batchlimit", "expunge"),
  ...strings(
    "mda",
    "bsmtp",
    "preconnect",
    "postconnect",
    "sslkey",
    "sslcert",
    "sslproto",
    "sslcertfile",
    "sslcertpath",
  ),
  ...strings("sslcommonname", "sslfingerprint", "properties", "smtpaddress", "smtpname"),
  ...called("strings", "folder", "folder"),
  ...called("strings", "smtphost", "smtphost"),
  ...called("strings", "fetchdomains", "fetchdomains"),
  ...called("numbers", "antispam", "antispam"),
]);

/** After `set`. */
export const globalKeywords: ReadonlyMap<string, Keyword> = new Map([
  ...numbers("daemon"),
  ...strings("postmaster", "logfile", "pidfile", "idfile", "properties"),
  ...flags("bouncemail", "spambounce", "softbounce", "syslog", "invisible", "showdots"),
]);

/** Every word that means something: no name may be one unless it is quoted, or follows `user`, `is`, `to` or `password`. */
export const reservedWords: ReadonlySet<string> = new Set([
  ...serverKeywords.keys(),
  ...userKeywords.keys(),
  ...globalKeywords.keys(),
  ..."set poll server skip defaults user username pass password is to here there no".split(" "),
]);
