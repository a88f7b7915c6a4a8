export { servePop3, type Pop3Options } from "./serve-pop3.ts";
