export { structures, summaries, throughIndex, type ContentKind } from "./content-index.ts";
export { IndexDatabase, isDamaged, setAside } from "./index-database.ts";
export { IndexedMailbox, renameInIndex, type Found } from "./indexed-mailbox.ts";
export { newMailboxId } from "./new-mailbox-id.ts";
export { MailboxTexts, type TextSource } from "./mailbox-texts.ts";
