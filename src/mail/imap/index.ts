export type { ImapLimits } from "./limits.ts";
export { imapServer, type ImapServerOptions, serveImap } from "./serve.ts";
