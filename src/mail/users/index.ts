export { addDomain, addUser, domainsIn, listUsers, removeUser, setPassword, type MailUser } from "./user-files.ts";
