export { SmbStore } from "./smb-store.ts";
