export { BadCommand } from "./bad-command.ts";
export { type CommandText, Cursor, type Literal, type ParseLimits } from "./cursor.ts";
export { dateTimeText, readDateTime } from "./date-time.ts";
export { type FetchItem, readFetchItems } from "./fetch-item.ts";
export { readFlagList, readFlags } from "./flag.ts";
export { mailboxNameText, type NameForm, readMailboxName, readMailboxPattern } from "./mailbox-name.ts";
export { matchesPattern } from "./mailbox-pattern.ts";
export { humanText, quoted } from "./quote.ts";
export type { Partial } from "./section.ts";
export {
  isIn,
  mergedRanges,
  parseSequenceSet,
  type Range,
  readSequenceSet,
  readUidSet,
  resolved,
  type SequenceSet,
  sequenceText,
} from "./sequence-set.ts";
export type { Token } from "./token.ts";
