export { exampleOfSettings } from "./example-settings.ts";
export { mailFolder, mailPaths, type MailPaths } from "./mail-folder.ts";
export { expandLocation, expandVariables, type MailLocation, type NamedUser } from "./mail-location.ts";
export type { ReceivingSettings } from "./receiving-settings.ts";
export type { GuardLimits, MailSettings } from "./mail-settings.ts";
export { checkMailSettings, readMailSettings, type CheckedSettings } from "./read-settings.ts";
