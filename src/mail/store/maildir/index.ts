export { deliverToMaildir, type MaildirDeliveryOptions } from "./deliver.ts";
export { openMaildir, type MaildirOptions } from "./open-maildir.ts";
