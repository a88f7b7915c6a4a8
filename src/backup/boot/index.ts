export { bootBackup, type BootedBackup, type BootRequest } from "./boot-backup.ts";
