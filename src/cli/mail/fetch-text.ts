import { formatSize } from "../../bytes/index.ts";
import type { FetchReport, PollReport } from "../../mail/fetch/index.ts";

/** What came of a poll: a line for each mailbox. */
export function reportLines({ accounts }: FetchReport): string[] {
  return accounts.flatMap(({ folders }) => folders.map(folderLine));
}

function folderLine({ account, folder, fetched, fetchedBytes, deleted, old, tooLarge, later }: PollReport): string {
  const name = folder === "INBOX" ? account : `${account} ${folder}`;
  const more = [
    ...(deleted > fetched ? [`${deleted - fetched} more deleted`] : []),
    ...(old > 0 ? [`${old} seen before`] : []),
    ...(tooLarge > 0 ? [`${tooLarge} too large`] : []),
    ...(later > 0 ? [`${later} left for later`] : []),
  ];
  const got =
    fetched === 0 ? "no mail" : `${fetched} ${fetched === 1 ? "message" : "messages"}, ${formatSize(fetchedBytes)}`;
  return `${name}: ${[got, ...more].join("; ")}`;
}
