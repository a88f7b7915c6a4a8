import type { Duplex } from "node:stream";
import type { MailStore } from "./store/index.ts";

/** Whose certificate it is: the mailbox in its subjectAltName (rfc822Name), and which one. */
export interface CertificateHolder {
  /** `joe@example.org`, in lower case. */
  readonly mailbox: string;
  /** Hexadecimal, upper case. */
  readonly serial: string;
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string;
}

export type Credentials =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  /** SASL EXTERNAL: the certificate alone; `user` is the authorization identity, empty for the certificate's own. */
  | { readonly kind: "external"; readonly user: string };

/** A user who is let in. */
export interface LoggedIn {
  /** `joe@example.org`. */
  readonly user: string;
  /** Closed by the guard once the protocol has ended. */
  readonly store: MailStore;
}

/**
 * What the guard hands to a protocol: a connection past its handshake, with a certificate that was checked. Tests make
 * one of a socket pair.
 */
export interface GuardedConnection {
  readonly socket: Duplex;
  readonly holder: CertificateHolder;
  readonly remoteAddress: string;
  /** Given when the connection must end: the certificate was revoked, the server stops. `reason` is a word for the peer. */
  readonly signal: AbortSignal;
  /** Whether EXTERNAL is offered. */
  readonly allowsExternal: boolean;
  /**
   * Lets the user in, or throws `refused`: the same answer after the same time for a wrong password, an unknown user
   * and another's certificate. Writes the audit line, counts for bans. Throws `failed` where there are too many connections.
   */
  logIn(credentials: Credentials): Promise<LoggedIn>;
}

/** A protocol: speaks with one connection until it ends. Never throws for what the peer does. */
export type ServeConnection = (connection: GuardedConnection) => Promise<void>;
