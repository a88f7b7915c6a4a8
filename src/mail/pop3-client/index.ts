export { Pop3Client, type Pop3Credentials } from "./pop3-client.ts";
