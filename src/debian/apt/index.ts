export { AptConfiguration, filesIn } from "./configuration.ts";
export { findLogin, readLogins } from "./login.ts";
export { proxyFor } from "./proxy.ts";
export { unreadSettings } from "./unread-settings.ts";
export { readAptSources } from "./read-sources.ts";
export type { AptSource, SignedBy } from "./source.ts";
