export { type ImapLimits, imapLimits } from "./limits.ts";
export { imapServer, type ImapServerOptions, serveImap } from "./serve.ts";
