export { openMaildir, type MaildirOptions } from "./open-maildir.ts";
