export { deliverToMaildir, type MaildirDeliveryOptions } from "./deliver.ts";
export { newBaseName } from "./file-name.ts";
export { openMaildir, type MaildirOptions } from "./open-maildir.ts";
export { makeMaildir } from "./roots.ts";
export { changeSpecialUse, readSpecialUse } from "./special-use.ts";
export { ToSync } from "./synced.ts";
export { nextUidValidity } from "./uid-validity.ts";
