export { serveMail, type MailServer, type ServedAt, type ServeMailOptions } from "./serve-mail.ts";
