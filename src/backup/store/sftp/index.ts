export { SftpStore } from "./sftp-store.ts";
