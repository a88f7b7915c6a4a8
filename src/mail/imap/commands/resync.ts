import { isIn, mergedRanges, sequenceText } from "../grammar/index.ts";
import type { Selected } from "../session/index.ts";
import type { Resync } from "./select.ts";

/** What came to be since the client left (RFC 7162 §3.2.5.1): what vanished, and what changed. */
export function resyncText(selected: Selected, { modSeq, knownUids }: Resync): string {
  const known = knownUids === undefined ? undefined : mergedRanges(knownUids);
  const isKnown = (uid: number): boolean => known === undefined || isIn(known, uid);
  const vanished = selected.mailbox.vanishedSince(modSeq).filter(isKnown);
  const changed = selected.records.filter((record) => record.modSeq > modSeq && isKnown(record.uid));
  const lines = vanished.length === 0 ? "" : `* VANISHED (EARLIER) ${sequenceText(vanished)}\r\n`;
  return lines + selected.changedText(changed, { vanished: true, modSeq: true, uid: true });
}
