import type { ImapLimits } from "../limits.ts";

/** Before login: how one may log in, and what clients use without asking again. */
export function capabilitiesBeforeLogin({ allowsExternal }: { readonly allowsExternal: boolean }): readonly string[] {
  const external = allowsExternal ? ["AUTH=EXTERNAL"] : [];
  return ["IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID", "ENABLE", "AUTH=PLAIN", "AUTH=LOGIN", ...external];
}

/**
 * After login. LITERAL+ and not LITERAL-, since RFC 7888 §5 allows only one of them to be named; what LITERAL- allows is
 * a part of it. No LOGINDISABLED and no STARTTLS: there is no connection without TLS.
 */
export function capabilitiesAfterLogin(limits: ImapLimits): readonly string[] {
  return [
    "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT CONDSTORE QRESYNC",
    "LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE CHILDREN",
    `MULTIAPPEND BINARY REPLACE COMPRESS=DEFLATE APPENDLIMIT=${limits.messageBytes} UTF8=ACCEPT`,
    "ESEARCH SEARCHRES WITHIN PARTIAL SORT SORT=DISPLAY ESORT I18NLEVEL=1",
    "THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS",
    "QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE OBJECTID SAVEDATE PREVIEW",
  ];
}
