/** What one connection may ask of the server. Everything a client controls has its limit here. */
export interface ImapLimits {
  /** A command without the messages it brings: its lines and small literals together. */
  readonly commandBytes: number;
  /** The same before login, where nothing long is said. */
  readonly commandBytesBeforeLogin: number;
  /** APPENDLIMIT (RFC 7889): one message. */
  readonly messageBytes: number;
  /** All messages of one APPEND (MULTIAPPEND, RFC 3502): they are in memory at once. */
  readonly messagesBytes: number;
  /** What of a line or literal that is too long is read and thrown away, before the connection ends. */
  readonly discardedBytes: number;
  /** Parentheses within each other. */
  readonly depth: number;
  /** Ranges in one sequence set. */
  readonly ranges: number;
  /** Items of FETCH, flags, header fields: in one list. */
  readonly listItems: number;
  /** Words of SEARCH, SORT and THREAD in one list. */
  readonly searchWords: number;
  /** Patterns of one LIST, each compared with every mailbox. */
  readonly patterns: number;
  /** Output that waits for a slow reader; no more is made until it has gone. */
  readonly waitingOutputBytes: number;
  /** Commands answered with BAD one after the other. */
  readonly badCommands: number;
  /** Logins refused in one connection. */
  readonly failedLogins: number;
  readonly loginMs: number;
  /** Autologout (RFC 9051 §5.4): at least 30 minutes; IDLE is no exception (RFC 2177). */
  readonly idleMs: number;
  /** A client that does not take its answer. */
  readonly stalledMs: number;
  /** Between lines that keep translators of addresses on the way from forgetting the connection, in IDLE. */
  readonly keepAliveMs: number;
}

export const imapLimits: ImapLimits = {
  commandBytes: 128 * 1024,
  commandBytesBeforeLogin: 8 * 1024,
  messageBytes: 64 * 1024 * 1024,
  messagesBytes: 128 * 1024 * 1024,
  discardedBytes: 256 * 1024 * 1024,
  depth: 32,
  ranges: 10_000,
  listItems: 1000,
  searchWords: 10_000,
  patterns: 100,
  waitingOutputBytes: 1024 * 1024,
  badCommands: 20,
  failedLogins: 3,
  loginMs: 60_000,
  idleMs: 30 * 60_000,
  stalledMs: 5 * 60_000,
  keepAliveMs: 2 * 60_000,
};
