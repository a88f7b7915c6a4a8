export { deliverToMaildir, type MaildirDeliveryOptions } from "./deliver.ts";
export { openMaildir, type MaildirOptions } from "./open-maildir.ts";
export { changeSpecialUse, readSpecialUse } from "./special-use.ts";
export { nextUidValidity } from "./uid-validity.ts";
