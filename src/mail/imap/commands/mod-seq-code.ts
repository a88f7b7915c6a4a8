import type { Session } from "../session/index.ts";

/**
 * What a client of CONDSTORE may keep as its new mark after it removed messages (RFC 7162 §3.2.7), undefined for others.
 * Up to there everything has to be told first.
 */
export function modSeqCode(session: Session): string | undefined {
  if (!session.enabled.has("CONDSTORE")) return undefined;
  const { selected, telling } = session;
  session.write(selected.sync(telling, { mayExpunge: true }));
  return `HIGHESTMODSEQ ${selected.mailbox.highestModSeq}`;
}
