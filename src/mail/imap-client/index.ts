export { ImapClient, type ImapCredentials } from "./imap-client.ts";
