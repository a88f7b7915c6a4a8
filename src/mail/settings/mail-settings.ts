import type { ReceivingSettings } from "./receiving-settings.ts";

/** What one address and one certificate may do before it is kept out. */
export interface GuardLimits {
  /** Connections at once: of everybody, of one address, of one certificate. */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly connectionsPerCertificate: number;
  /** New connections that one address may begin within `windowMs`. */
  readonly handshakesPerAddress: number;
  /** Refusals within `windowMs` after which a certificate is banned for `banMs`. */
  readonly refusalsPerCertificate: number;
  /** The same of an address, behind which a whole household may be: one forgotten device must not lock out the others. */
  readonly refusalsPerAddress: number;
  readonly windowMs: number;
  readonly banMs: number;
  /** How long a handshake, and then a login, may take. */
  readonly handshakeMs: number;
  readonly loginMs: number;
}

/** `mail.toml`, with what holds where it says nothing. */
export interface MailSettings {
  readonly folder: string;
  readonly hostName: string;
  /** In lower case. */
  readonly domains: readonly string[];
  /** Addresses that are listened at: `0.0.0.0`, `::`. */
  readonly listen: readonly string[];
  /** Absent where the protocol is not served. */
  readonly imapsPort?: number;
  readonly pop3sPort?: number;
  /** The account that the server works as once its ports are bound, where it is started as root; `holdfast` where absent. */
  readonly account?: string;
  /** As Dovecot's `mail_location`. */
  readonly location: string;
  /** Where a user's home is whom neither `imap.passwd` nor the system gives one. */
  readonly home: string;
  /** How much each user's mail may be, where `imap.passwd` says nothing of it; no limit where absent. */
  readonly quotaBytes?: number;
  /** Whether users are those of the system, each with files of its own uid. */
  readonly hasSystemUsers: boolean;
  /** Whether a certificate alone may open its mailbox (SASL EXTERNAL). */
  readonly allowsExternal: boolean;
  /** A certificate of the server that was brought along, in PEM with its chain, and its key; absent where the own authority's counts. */
  readonly serverCertificate?: { readonly certificate: string; readonly key: string };
  /** Files with authorities and revocation lists from elsewhere, in PEM or DER, beside the own ones. */
  readonly otherAuthorities: readonly string[];
  /** What happens once a revocation list is past its end. */
  readonly expiredRevocationList: "refuse" | "accept";
  readonly limits: GuardLimits;
  readonly receiving: ReceivingSettings;
  /** Where refusals and logins are written: `stderr` (the journal, under systemd), or a file. */
  readonly audit: string;
  /** Processes that serve; as many as there are cores where absent. */
  readonly processes?: number;
}
