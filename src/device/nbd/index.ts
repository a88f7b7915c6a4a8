export { serveNbd, type NbdServer, type ServeNbdOptions } from "./serve-nbd.ts";
